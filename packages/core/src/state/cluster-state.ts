import type { ApiKeyRecord, Delivery, MasterState, RunReport } from '@carillon/contract';
import type { ActiveJob } from './active-job.js';
import type { Change, TableName, Tables } from './change.js';
import { IdsByKey } from './ids-by-key.js';
import { Table } from './table.js';

/** Totals of one day (`day` is YYYY-MM-DD in the primary's zone). */
export interface DayStats {
  day: string;
  totals: MasterState['stats'];
}

const noTotals = (): MasterState['stats'] => ({
  jobs_completed: 0,
  jobs_failed: 0,
  jobs_elapsed: 0,
  jobs_log_size: 0,
  emails_sent: 0,
});

/**
 * All durable state the primary keeps in memory, with the indexes its rules need. Changed through
 * `applyChange` only, by the same changes that are committed to the store.
 */
export class ClusterState {
  readonly events = new Table<Tables['events']>();
  readonly categories = new Table<Tables['categories']>();
  readonly plugins = new Table<Tables['plugins']>();
  readonly server_groups = new Table<Tables['server_groups']>();
  readonly api_keys = new Table<Tables['api_keys']>();
  readonly servers = new Table<Tables['servers']>();
  readonly users = new Table<Tables['users']>();
  /** By the SHA-256 of the session id. */
  readonly sessions = new Table<Tables['sessions']>();
  /** Scheduler switch. */
  enabled: 0 | 1 = 1;
  /** Last minute (Unix seconds) whose launches are all done; undefined before the first tick. */
  tickMinute: number | undefined;
  /** Minute up to which an event is done, where it differs from or was written ahead of `tickMinute`. */
  readonly cursors = new Map<string, number>();
  /** Minutes whose jobs were lost or ended by a limit and are to be launched once more, ascending, by event. */
  readonly redos = new Map<string, readonly number[]>();
  readonly robins = new Map<string, number>();
  /** Active jobs by id, in launch order. */
  readonly jobs = new Map<string, ActiveJob>();
  /** The outbox: web hooks and e-mails that are not delivered yet, oldest first. */
  readonly deliveries = new Map<string, Delivery>();
  stats: DayStats = { day: '', totals: noTotals() };

  readonly #eventsByTitle = new IdsByKey();
  readonly #keysByHash = new Map<string, string>();
  readonly #jobsByEvent = new IdsByKey();
  readonly #jobsByCategory = new IdsByKey();
  readonly #jobsByNode = new IdsByKey();

  /** Newest event with exactly this title. */
  eventByTitle(title: string): Tables['events'] | undefined {
    let best: { seq: number; record: Tables['events'] } | undefined;
    for (const id of this.#eventsByTitle.of(title)) {
      const entry = this.events.entry(id);
      if (entry !== undefined && (best === undefined || entry.seq > best.seq)) best = entry;
    }
    return best?.record;
  }

  keyByHash(hash: string): ApiKeyRecord | undefined {
    const id = this.#keysByHash.get(hash);
    return id === undefined ? undefined : this.api_keys.get(id);
  }

  /** Active jobs of an event in launch order. */
  jobsOfEvent(event: string): ActiveJob[] {
    return this.#collect(this.#jobsByEvent.of(event));
  }

  jobsOfCategory(category: string): ActiveJob[] {
    return this.#collect(this.#jobsByCategory.of(category));
  }

  /** Active jobs of a node, in no particular order; queued ones are those of node ''. */
  jobsOfNode(node: string): ActiveJob[] {
    return this.#collect(this.#jobsByNode.of(node));
  }

  countJobsOfNode(node: string): number {
    return this.#jobsByNode.count(node);
  }

  applyChange(change: Change): void {
    switch (change.type) {
      case 'put':
        this.#put(change);
        return;
      case 'delete':
        this.#unindex(change.table, change.id);
        this[change.table].delete(change.id);
        return;
      case 'switch':
        this.enabled = change.enabled;
        return;
      case 'tick':
        this.tickMinute = change.minute;
        return;
      case 'cursor':
        setOrForget(this.cursors, change.event, change.minute ?? undefined);
        return;
      case 'redo':
        setOrForget(this.redos, change.event, change.minutes.length === 0 ? undefined : change.minutes);
        return;
      case 'robin':
        this.robins.set(change.event, change.index);
        return;
      case 'job':
        this.#putJob(change.job);
        return;
      case 'dispatch':
        this.#dispatch(change.run.job, change.run.attempt, change.node);
        return;
      case 'finish':
        this.#removeJob(change.record.id);
        this.#countFinish(change);
        return;
      case 'forget-job':
        this.#removeJob(change.id);
        return;
      case 'forget-event':
        for (const known of [this.cursors, this.redos, this.robins]) known.delete(change.event);
        return;
      case 'activity':
      case 'past-job':
      case 'past-rows':
      case 'staged':
      case 'copy-lists':
        return;
      case 'delivery':
        this.deliveries.set(change.delivery.id, change.delivery);
        return;
      case 'delivered':
        this.deliveries.delete(change.id);
        return;
      case 'count':
        this.#totalsOf(change.day)[change.counter] += change.by;
        return;
      case 'totals':
        this.stats = { day: change.day, totals: { ...change.totals } };
        return;
    }
  }

  /**
   * Takes over what a worker says about a run it holds: live facts, not durable, sent again after a failover.
   * Answers the job as it is now, or undefined when no active job is at this attempt.
   */
  applyReport(report: RunReport, boot: string): ActiveJob | undefined {
    const job = this.jobs.get(report.job);
    if (job === undefined || job.attempt !== report.attempt) return undefined;
    const { job: _job, attempt: _attempt, ...facts } = report;
    const next: ActiveJob = { ...job, state: 'running', boot, fields: { ...job.fields, ...facts } };
    this.jobs.set(report.job, next);
    return next;
  }

  /** Marks a claimed job's worker as silent or back; not durable. */
  markSilent(id: string, silent: boolean): void {
    const job = this.jobs.get(id);
    if (job === undefined) return;
    if (silent && job.state === 'running') this.jobs.set(id, { ...job, state: 'silent' });
    if (!silent && job.state === 'silent') this.jobs.set(id, { ...job, state: 'running' });
  }

  #put(change: Extract<Change, { type: 'put' }>): void {
    this.#unindex(change.table, change.record.id);
    (this[change.table] as Table<Tables[TableName]>).put(change.seq, change.record, change.json);
    this.#index(change);
  }

  /** A job's event and category never change, so replacing it keeps its place in the indexes. */
  #putJob(job: ActiveJob): void {
    const id = job.fields.id;
    this.#moveToNode(id, job.node);
    this.jobs.set(id, job);
    this.#jobsByEvent.add(job.fields.event, id);
    this.#jobsByCategory.add(job.fields.category, id);
  }

  #dispatch(id: string, attempt: number, node: string): void {
    const job = this.jobs.get(id);
    if (job === undefined) return;
    this.#moveToNode(id, node);
    const { dueMs: _due, retryUntilMs: _until, boot: _boot, ...rest } = job;
    this.jobs.set(id, { ...rest, state: 'dispatched', attempt, node });
  }

  /** Before the job itself is replaced. */
  #moveToNode(id: string, node: string): void {
    const before = this.jobs.get(id)?.node;
    if (before === node) return;
    if (before !== undefined) this.#jobsByNode.remove(before, id);
    this.#jobsByNode.add(node, id);
  }

  #removeJob(id: string): void {
    this.#removeIndexes(this.jobs.get(id));
    this.jobs.delete(id);
  }

  #removeIndexes(job: ActiveJob | undefined): void {
    if (job === undefined) return;
    this.#jobsByEvent.remove(job.fields.event, job.fields.id);
    this.#jobsByCategory.remove(job.fields.category, job.fields.id);
    this.#jobsByNode.remove(job.node, job.fields.id);
  }

  #totalsOf(day: string): MasterState['stats'] {
    if (this.stats.day !== day) this.stats = { day, totals: noTotals() };
    return this.stats.totals;
  }

  #countFinish(change: Extract<Change, { type: 'finish' }>): void {
    const totals = this.#totalsOf(change.day);
    totals.jobs_completed += 1;
    if (change.row.code !== 0) totals.jobs_failed += 1;
    // Seconds with milliseconds: sums of fractions drift.
    totals.jobs_elapsed = Math.round((totals.jobs_elapsed + change.row.elapsed) * 1000) / 1000;
    totals.jobs_log_size += change.row.log_file_size;
  }

  #index(change: Extract<Change, { type: 'put' }>): void {
    if (change.table === 'events') this.#eventsByTitle.add(change.record.title, change.record.id);
    if (change.table === 'api_keys') this.#keysByHash.set(change.record.key_hash, change.record.id);
  }

  #unindex(table: TableName, id: string): void {
    if (table === 'events') {
      const old = this.events.get(id);
      if (old !== undefined) this.#eventsByTitle.remove(old.title, id);
    } else if (table === 'api_keys') {
      const old = this.api_keys.get(id);
      if (old !== undefined) this.#keysByHash.delete(old.key_hash);
    }
  }

  #collect(ids: Iterable<string>): ActiveJob[] {
    const found: ActiveJob[] = [];
    for (const id of ids) {
      const job = this.jobs.get(id);
      if (job !== undefined) found.push(job);
    }
    return found;
  }
}

function setOrForget<T>(known: Map<string, T>, event: string, value: T | undefined): void {
  if (value === undefined) known.delete(event);
  else known.set(event, value);
}
