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
  settings: OfficeSettings;
  /** What an empty store is filled with. */
  firstRun: FirstRun;
  /** A write failed: the term must end and the memory be dropped. */
  onWriteFailure: (reason: string) => void;
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
  const { store, clock, random, settings, log } = deps;
  const state = await store.load(session);
  const journal = new Journal(store, session, state, deps.onWriteFailure);
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
    settings,
    newId: createIdSource(clock, random),
    today: () => dayOf(clock.nowMs()),
  };
  const services = createLeaderServices(office, { ...deps, digest: deps.firstRun.digest });
  await setUp(office, deps.firstRun);
  startLeaderServices(services);
  return { office: new LeaderOffice(office, services), close: () => stopLeaderServices(services) };
}
