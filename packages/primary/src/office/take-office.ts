import {
  type Clock,
  type ClusterChannel,
  createIdSource,
  type JobQueue,
  type LogArchive,
  type Logger,
  type PasswordHasher,
  type PrimaryInfo,
  type Random,
  type Session,
  type Store,
} from '@carillon/core';
import type { OutboundPorts } from '../hooks/delivery-service.js';
import type { OfficeContext } from './context.js';
import { createDayOf } from './day.js';
import { Journal } from './journal.js';
import { idleMeter, type Meter } from './meter.js';
import { LeaderOffice } from './leader-office.js';
import { createLeaderServices, startLeaderServices, stopLeaderServices } from './leader-services.js';
import type { OfficeSettings } from './settings.js';
import { type FirstRun, setUp } from './set-up.js';

export interface OfficeDeps {
  store: Store;
  queue: JobQueue;
  archive: LogArchive;
  outbound: OutboundPorts;
  channel: ClusterChannel;
  clock: Clock;
  random: Random;
  passwords: PasswordHasher;
  /** How this node is announced. */
  candidate: Omit<PrimaryInfo, 'term'>;
  log: Logger;
  meter?: Meter;
  settings: OfficeSettings;
  /** What an empty store is filled with. */
  firstRun: FirstRun;
  /** A write failed: the term must end and the memory be dropped. */
  onWriteFailure: (reason: string) => void;
  /** Ends the term by request; resolves when the lease is given up, and does not compete for so long. */
  leave: (quietMs: number) => Promise<void>;
}

/** The office of one term, and how to leave it. */
export interface OpenOffice {
  office: LeaderOffice;
  close(): Promise<void>;
}

/**
 * Loads the state and starts the services of a new primary. When it resolves the API may be served. Rejects
 * when the state cannot be loaded; nothing runs then.
 */
export async function takeOffice(session: Session, deps: OfficeDeps): Promise<OpenOffice> {
  const { store, clock, random, settings, log, meter = idleMeter } = deps;
  const state = await store.load(session);
  meter.onTerm(session, state);
  const journal = new Journal(store, session, state, deps.onWriteFailure, { clock, meter });
  const dayOf = createDayOf(settings.timezone);
  const office: OfficeContext = {
    session,
    state,
    journal,
    store,
    queue: deps.queue,
    archive: deps.archive,
    clock,
    random,
    log,
    meter,
    settings,
    newId: createIdSource(clock, random),
    today: () => dayOf(clock.nowMs()),
  };
  const services = createLeaderServices(office, { ...deps, digest: deps.firstRun.digest });
  await setUp(office, deps.firstRun);
  startLeaderServices(services);
  return {
    office: new LeaderOffice(office, services, deps.leave),
    close: () => stopLeaderServices(services),
  };
}
