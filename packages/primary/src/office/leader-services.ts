import {
  type AbortRequest,
  type ActiveJob,
  type ClusterChannel,
  type Digest,
  type JobEnding,
  type PasswordHasher,
  type PrimaryInfo,
  ScheduleIndex,
} from '@carillon/core';
import { createAccounts } from '../accounts/index.js';
import { CatalogService } from '../catalog/catalog-service.js';
import { RecordService } from '../catalog/record-service.js';
import { CompletionService } from '../completion/completion-service.js';
import { Finisher } from '../completion/finisher.js';
import { JobEnder } from '../completion/job-ender.js';
import { DeliveryService, type OutboundPorts } from '../hooks/delivery-service.js';
import { Dispatcher } from '../launch/dispatcher.js';
import { LaunchService } from '../launch/launch-service.js';
import { RetryService } from '../launch/retry-service.js';
import { LiveHub } from '../live/live-hub.js';
import { LogTokens } from '../live/log-tokens.js';
import { LogWatch } from '../live/log-watch.js';
import { Relocation } from '../membership/relocation.js';
import { ServerService } from '../membership/server-service.js';
import type { WorkerRegistry } from '../membership/worker-registry.js';
import { WorkforceService } from '../membership/workforce-service.js';
import { TickService } from '../schedule/tick-service.js';
import { ExportService } from '../transfer/export-service.js';
import { ImportService } from '../transfer/import-service.js';
import { JobRemoval } from '../upkeep/job-removal.js';
import { UpkeepService } from '../upkeep/upkeep-service.js';
import { ClusterStatus } from './cluster-status.js';
import type { OfficeContext } from './context.js';

export interface LeaderDeps {
  channel: ClusterChannel;
  outbound: OutboundPorts;
  digest: Digest;
  passwords: PasswordHasher;
  /** How this node is announced. */
  candidate: Omit<PrimaryInfo, 'term'>;
}

/** The services that only the elected primary runs, put together for one term. Nothing runs before it is started. */
export function createLeaderServices(office: OfficeContext, deps: LeaderDeps) {
  const { digest, passwords, candidate } = deps;
  const members = () => workforce.registry.members();
  const isLeaving = (node: string) => workforce.registry.get(node)?.draining === true;
  const finish = (job: string, ending: JobEnding) => finisher.finish(job, ending);
  const dispatcher = new Dispatcher(office, () => retries);
  const ender: JobEnder = new JobEnder(office, { finish });
  const logs = new LogWatch(office, (node, message) => workforce.registry.get(node)?.link?.send(message));
  const live = new LiveHub(office, logs);
  const relocation = new Relocation({
    office,
    ender,
    relaunch: (job) => launches.relaunch(job),
    takeBackRetry: (job) => retries.takeBack(job),
  });
  const onRoom = () => {
    launches.drainSoon();
    tick.onWorker();
  };
  const workforce: WorkforceService = new WorkforceService(
    { office, channel: deps.channel, dispatcher, ender, relocation, logs },
    { onJob: (job) => live.onJob(job), onRoom },
  );
  const { registry } = workforce;
  const servers = new ServerService({ office, registry, forget: (entry) => workforce.forget(entry) });
  const launches: LaunchService = new LaunchService({ office, dispatcher, members, finish });
  const retries = new RetryService({ office, launches, members, isLeaving, finish });
  const index = indexSchedule(office);
  const tick: TickService = new TickService({ office, index, launches, members });
  const catalog = new CatalogService(office);
  const onCatchUp = (event: string) => tick.catchUp(event);
  const finisher: Finisher = new Finisher({ office, launches, catalog, onCatchUp });
  const completion = new CompletionService(office, finisher);
  const deliveries = new DeliveryService(office, deps.outbound);
  const upkeep = new UpkeepService(office);
  const abortAll = allAborter(ender, (running) => workforce.sendAbort(running));
  const records = new RecordService({ office, digest, abortAll, catchUp: onCatchUp, onRoom });
  return {
    abortAll,
    accounts: createAccounts({ office, digest, passwords }),
    catalog,
    cluster: new ClusterStatus({ office, registry, candidate }),
    completion,
    deliveries,
    dispatcher,
    ender,
    ...createTransfers(office, registry, onRoom),
    index,
    launches,
    live,
    logTokens: new LogTokens({ clock: office.clock, random: office.random, digest }),
    logs,
    records,
    servers,
    removal: new JobRemoval(office),
    tick,
    upkeep,
    workforce,
  };
}

function createTransfers(office: OfficeContext, registry: WorkerRegistry, onRoom: () => void) {
  const hostnames = () => [...registry.all()].map((worker) => worker.record.hostname);
  return { exports: new ExportService(office), imports: new ImportService({ office, hostnames, onRoom }) };
}

/** Aborts jobs all at once: each waits for the store, not for the others. */
function allAborter(ender: JobEnder, sendAbort: WorkforceService['sendAbort']) {
  const abort = async (job: ActiveJob, request: AbortRequest): Promise<void> => {
    const running = await ender.abort(job, request);
    if (running !== undefined) sendAbort(running);
  };
  return async (jobs: readonly ActiveJob[], request: AbortRequest): Promise<void> => {
    await Promise.all(jobs.map((job) => abort(job, request)));
  };
}

export type LeaderServices = ReturnType<typeof createLeaderServices>;

/** Workers first: they may report what the others then need not find out. */
export function startLeaderServices(services: LeaderServices): void {
  const { workforce, completion, dispatcher, ender, deliveries, tick, upkeep } = services;
  for (const service of [workforce, completion, dispatcher, ender, deliveries, tick, upkeep]) service.start();
}

/** Resolves when nothing of the term runs any more. */
export async function stopLeaderServices(services: LeaderServices): Promise<void> {
  const { workforce, completion, dispatcher, ender, deliveries, tick, upkeep } = services;
  for (const service of [dispatcher, ender, workforce]) service.stop();
  await Promise.all([tick, completion, deliveries, upkeep].map((service) => service.stop()));
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
