import {
  type Clock,
  type ClusterChannel,
  createIdSource,
  type JobQueue,
  type LogArchive,
  type Logger,
  type Random,
  ScheduleIndex,
  type Session,
  type Store,
} from '@carillon/core';
import { CatalogService } from '../catalog/catalog-service.js';
import { CompletionService } from '../completion/completion-service.js';
import type { OfficeContext } from './context.js';
import { createDayOf } from './day.js';
import { DeliveryService, type OutboundPorts } from '../hooks/delivery-service.js';
import { Dispatcher } from '../launch/dispatcher.js';
import { JobEnder } from '../completion/job-ender.js';
import { Journal } from './journal.js';
import { LaunchService } from '../launch/launch-service.js';
import { LeaderOffice } from './leader-office.js';
import { LiveHub } from '../live/live-hub.js';
import { LogWatch } from '../live/log-watch.js';
import type { OfficeSettings } from './settings.js';
import { type FirstRun, setUp } from './set-up.js';
import { TickService } from '../schedule/tick-service.js';
import { Relocation } from '../membership/relocation.js';
import { WorkforceService } from '../membership/workforce-service.js';

export interface OfficeDeps {
  store: Store;
  queue: JobQueue;
  archive: LogArchive;
  outbound: OutboundPorts;
  channel: ClusterChannel;
  clock: Clock;
  random: Random;
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
  const index = indexSchedule(office);
  const dispatcher = new Dispatcher(office);
  const deliveries = new DeliveryService(office, deps.outbound);
  const ender: JobEnder = new JobEnder(office, (event) => launches.drain(event));
  const logs = new LogWatch(office, (node, message) => workforce.registry.get(node)?.link?.send(message));
  const live = new LiveHub(office, logs);
  const relocation = new Relocation(office, ender, (job) => launches.relaunch(job));
  const workforce: WorkforceService = new WorkforceService(
    { office, channel: deps.channel, dispatcher, ender, relocation, logs },
    (job) => live.onJob(job),
  );
  const launches: LaunchService = new LaunchService(office, dispatcher, () => workforce.registry.members());
  const tick = new TickService(office, index, launches);
  const completion = new CompletionService(office, launches);
  const catalog = new CatalogService(office);

  await setUp(office, deps.firstRun);
  workforce.start();
  completion.start();
  dispatcher.start();
  ender.start();
  deliveries.start();
  tick.start();
  return {
    office: new LeaderOffice(office, { catalog, launches, ender, workforce, logs, live }),
    close: async () => {
      dispatcher.stop();
      ender.stop();
      workforce.stop();
      await Promise.all([tick.stop(), completion.stop(), deliveries.stop()]);
    },
  };
}

/** The index of due minutes, kept in step with the events. */
function indexSchedule(office: OfficeContext): ScheduleIndex {
  const index = new ScheduleIndex(office.settings.timezone);
  for (const entry of office.state.events.page(0, office.state.events.size).reverse()) {
    index.put(entry.record, entry.seq);
  }
  office.journal.observe((changes) => {
    for (const change of changes) {
      if (change.type === 'put' && change.table === 'events') index.put(change.record, change.seq);
      else if (change.type === 'delete' && change.table === 'events') index.delete(change.id);
    }
  });
  return index;
}
