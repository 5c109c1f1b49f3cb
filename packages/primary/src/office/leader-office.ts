import { CarillonError, type DeliveryRow, type HistoryRow, type JobFields } from '@carillon/contract';
import {
  type AbortRequest,
  type ActiveJob,
  type ActivityEntry,
  type Caller,
  type Cancel,
  type ClusterState,
  isClaimed,
  type LaunchRequest,
  type Page,
  planUpcoming,
  type ScheduleIndex,
  type Session,
  type Upcoming,
  type UpcomingWish,
  viewActiveJob,
} from '@carillon/core';
import type { Accounts } from '../accounts/index.js';
import type { EventUpdateOptions, LaunchAnswer, Office } from '../office.js';
import type { CatalogService } from '../catalog/catalog-service.js';
import type { RecordService } from '../catalog/record-service.js';
import type { ClusterStatus } from './cluster-status.js';
import type { OfficeContext } from './context.js';
import type { TickService } from '../schedule/tick-service.js';
import type { LaunchService } from '../launch/launch-service.js';
import type { JobView, JobWatcher, LiveHub } from '../live/live-hub.js';
import type { LogTokens } from '../live/log-tokens.js';
import type { LogWatch } from '../live/log-watch.js';
import type { JobRemoval } from '../upkeep/job-removal.js';
import type { ServerService } from '../membership/server-service.js';
import type { ExportService } from '../transfer/export-service.js';
import type { ImportService } from '../transfer/import-service.js';
import type { WorkforceService } from '../membership/workforce-service.js';

/** Longest wait for a worker to send the log of a running job. */
const logTimeoutMs = 5_000;

/** The services the office is made of. */
export interface OfficeServices {
  accounts: Accounts;
  abortAll: (jobs: readonly ActiveJob[], request: AbortRequest) => Promise<void>;
  catalog: CatalogService;
  cluster: ClusterStatus;
  logTokens: LogTokens;
  records: RecordService;
  index: ScheduleIndex;
  removal: JobRemoval;
  servers: ServerService;
  exports: ExportService;
  imports: ImportService;
  launches: LaunchService;
  tick: TickService;
  workforce: WorkforceService;
  logs: LogWatch;
  live: LiveHub;
}

/** The API's view of the leader services. */
export class LeaderOffice implements Office {
  readonly #office: OfficeContext;
  readonly #services: OfficeServices;
  readonly #leave: (quietMs: number) => Promise<void>;

  /** `leave` ends the term and keeps this node from the next one for so long. */
  constructor(office: OfficeContext, services: OfficeServices, leave: (quietMs: number) => Promise<void>) {
    this.#office = office;
    this.#services = services;
    this.#leave = leave;
  }

  get session(): Session {
    return this.#office.session;
  }

  get state(): ClusterState {
    return this.#office.state;
  }

  get records(): RecordService {
    return this.#services.records;
  }

  get servers(): ServerService {
    return this.#services.servers;
  }

  get exports(): ExportService {
    return this.#services.exports;
  }

  get imports(): ImportService {
    return this.#services.imports;
  }

  get accounts(): Accounts {
    return this.#services.accounts;
  }

  get cluster(): ClusterStatus {
    return this.#services.cluster;
  }

  get logTokens(): LogTokens {
    return this.#services.logTokens;
  }

  createEvent(fields: Record<string, unknown>, caller: Caller): Promise<string> {
    return this.#services.catalog.createEvent(fields, caller);
  }

  async updateEvent(
    id: string,
    changes: Record<string, unknown>,
    options: EventUpdateOptions,
    caller: Caller,
  ): Promise<void> {
    const current = this.state.events.get(id);
    if (current === undefined) throw new CarillonError('event', `Failed to locate event: ${id}`);
    const event = await this.#services.catalog.updateEvent(current, changes, options, caller);
    if (event.enabled === 0 && options.abortJobs) await this.#abortJobsOf(id, event.title);
    if (event.queue) await this.#services.launches.drain(id);
    else await this.#discardQueue(id, `Queueing was switched off for event '${event.title}'.`);
    if (changes['enabled'] && event.catch_up) this.#services.tick.catchUp(id);
  }

  async #abortJobsOf(event: string, title: string): Promise<void> {
    const jobs = this.state.jobsOfEvent(event).filter((job) => !job.fields['detached']);
    await this.#services.abortAll(jobs, { reason: `Event '${title}' has been disabled.`, kind: 'disabled' });
  }

  deleteEvent(id: string, caller: Caller): Promise<void> {
    return this.#services.catalog.deleteEvent(id, caller);
  }

  launch(request: LaunchRequest): Promise<LaunchAnswer> {
    return this.#services.launches.launch(request);
  }

  queueLength(event: string): number {
    return this.state.jobsOfEvent(event).filter((job) => job.state === 'queued').length;
  }

  activeJob(id: string): JobView | undefined {
    const job = this.state.jobs.get(id);
    return job === undefined ? undefined : viewActiveJob(job, this.#office.clock.nowMs());
  }

  activeJobsOf(event: string): JobView[] {
    const now = this.#office.clock.nowMs();
    return this.state.jobsOfEvent(event).map((job) => viewActiveJob(job, now));
  }

  *activeJobs(): IterableIterator<JobView> {
    const now = this.#office.clock.nowMs();
    for (const job of this.state.jobs.values()) yield viewActiveJob(job, now);
  }

  completedJob(id: string): Promise<JobFields | undefined> {
    return this.#office.store.readJob(id);
  }

  history(event: string | undefined, offset: number, limit: number): Promise<Page<HistoryRow>> {
    return this.#office.store.readHistory(event, offset, limit);
  }

  deliveries(offset: number, limit: number): Promise<Page<DeliveryRow>> {
    return this.#office.store.readDeliveries(offset, limit);
  }

  activity(offset: number, limit: number): Promise<Page<ActivityEntry>> {
    return this.#office.store.readActivity(offset, limit);
  }

  upcoming(wish: UpcomingWish): Upcoming {
    const { state, clock } = this.#office;
    return planUpcoming({ state, index: this.#services.index, nowMs: clock.nowMs() }, wish);
  }

  deleteJob(job: JobFields, caller: Caller): Promise<void> {
    return this.#services.removal.remove(job, caller);
  }

  async updateJob(id: string, settings: Record<string, unknown>): Promise<void> {
    const job = this.state.jobs.get(id);
    if (job === undefined) throw new CarillonError('job', `Failed to locate job: ${id}`);
    const updated: ActiveJob = {
      ...job,
      fields: { ...job.fields, ...settings },
      updates: { ...job.updates, ...settings },
    };
    await this.#office.journal.commit([{ type: 'job', job: updated }]);
    this.#services.workforce.sendUpdate(updated, settings);
  }

  async abortJob(id: string, caller: Caller): Promise<void> {
    const job = this.state.jobs.get(id);
    if (job === undefined) throw new CarillonError('job', `Failed to locate job: ${id}`);
    await this.#services.abortAll([job], { reason: `Manually aborted by ${nameOf(caller)}`, kind: 'manual' });
  }

  async abortJobs(
    ids: readonly string[],
    caller: Caller,
    { noRewind }: { noRewind: boolean },
  ): Promise<void> {
    const reason = `Manually aborted by ${nameOf(caller)}`;
    const request: AbortRequest = { reason, kind: 'bulk', ...(noRewind ? { noRewind } : {}) };
    const jobs = ids.map((id) => this.state.jobs.get(id));
    await this.#services.abortAll(
      jobs.filter((job) => job !== undefined),
      request,
    );
  }

  async flushQueue(event: string, caller: Caller): Promise<void> {
    await this.#discardQueue(event, `Event queue was flushed by ${nameOf(caller)}`);
  }

  async #discardQueue(event: string, reason: string): Promise<void> {
    const queued = this.state.jobsOfEvent(event).filter((job) => job.state === 'queued');
    await this.#services.abortAll(queued, { reason, kind: 'manual' });
  }

  setEnabled(enabled: 0 | 1, caller: Caller): Promise<void> {
    return this.#services.catalog.setEnabled(enabled, caller);
  }

  async stepDown(quietMs: number, caller: Caller): Promise<void> {
    await this.#services.catalog.noteStepDown(caller);
    await this.#leave(quietMs);
  }

  async jobLog(id: string): Promise<{ gzip: boolean; bytes: AsyncIterable<Uint8Array> } | undefined> {
    const job = this.state.jobs.get(id);
    if (job !== undefined && isClaimed(job)) {
      return { gzip: false, bytes: oneChunk(await this.#logSoFar(job)) };
    }
    // Before its first attempt a job has no log; between two attempts that of the earlier ones is in the archive.
    if (job?.attempt === 1) return undefined;
    const archived = await this.#office.archive.get(id);
    return archived === undefined ? undefined : { gzip: true, bytes: archived };
  }

  /** Collects what the worker sends until it is up to date, the job ends, or the time is over. */
  #logSoFar(job: ActiveJob): Promise<Uint8Array> {
    return new Promise((resolve) => {
      const pieces: Buffer[] = [];
      let bytes = 0;
      const finish = () => {
        cancelTimer();
        cancelWatch();
        resolve(Buffer.concat(pieces));
      };
      const cancelTimer = this.#office.clock.after(logTimeoutMs, finish);
      const cancelWatch = this.#services.logs.watch(job, (piece, size) => {
        const chunk = Buffer.from(piece.text);
        pieces.push(chunk);
        bytes += chunk.length;
        if (piece.end || bytes >= size) finish();
      });
    });
  }

  hostnames(): string[] {
    return [...this.#services.workforce.registry.all()].map((worker) => worker.record.hostname);
  }

  /** See LiveHub. */
  watchJob(id: string, watcher: JobWatcher): Cancel | undefined {
    return this.#services.live.watchJob(id, watcher);
  }

  /** Follows an ended job's log: all of it, then `end`. */
  readArchivedLog(id: string): Promise<AsyncIterable<Buffer>> {
    return this.#services.logs.readArchived(id);
  }
}

/** As it is written into abort reasons: never the key itself (behaviour reference 13 #23). */
const nameOf = (caller: Caller): string =>
  caller.kind === 'user' ? `user: ${caller.id}` : `API Key: ${caller.id} (${caller.title})`;

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
