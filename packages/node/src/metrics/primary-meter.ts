import type { JobFields } from '@carillon/contract';
import {
  type ActiveJob,
  type Change,
  type Clock,
  type ClusterState,
  type EndKind,
  endRules,
  isClaimed,
  type Session,
} from '@carillon/core';
import type { Meter } from '@carillon/primary';
import { Counter, type Family, Histogram } from './instruments.js';

/** Seconds: from a tick that is on time to one that was made up after a long failover. */
const latenessBounds = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 120, 600, 3600];
/** Seconds. */
const commitBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

const causes = ['schedule', 'api_key', 'user', 'chain'] as const;
type Cause = (typeof causes)[number];

const outcomes = ['success', 'failure'] as const;

/**
 * Counts what this node did as the primary since its process started. A node that was never the primary shows zeros; over
 * a failover the sum of all nodes goes on.
 */
export class PrimaryMeter implements Meter {
  readonly #clock: Pick<Clock, 'nowMs'>;
  /** Jobs of this term whose start was not heard of yet. */
  readonly #unstarted = new Set<string>();
  /** Active jobs: a job that is stored again is no launch. */
  #active = new Set<string>();

  readonly #terms = new Counter('carillon_terms_total', 'Terms that this node began as the primary');
  readonly #launches = new Counter(
    'carillon_launches_total',
    'Jobs that were launched or queued, by what launched them',
    causes.map((cause) => ({ cause })),
  );
  readonly #starts = new Counter('carillon_job_starts_total', 'Runs of jobs whose process was reported');
  readonly #ends = new Counter(
    'carillon_jobs_ended_total',
    'Jobs that ended, by how they came to their end and by their code',
    [
      { ending: 'exit', outcome: 'success' },
      ...Object.keys(endRules).map((ending) => ({ ending, outcome: 'failure' })),
    ],
  );
  readonly #retries = new Counter(
    'carillon_job_retries_total',
    'Failed attempts that were followed by another',
  );
  readonly #jobSeconds = new Counter('carillon_job_run_seconds_total', 'Time that ended jobs took');
  readonly #launchLateness = new Histogram(
    'carillon_launch_lateness_seconds',
    'From the minute a scheduled job is due to its durable launch',
    latenessBounds,
  );
  readonly #startLateness = new Histogram(
    'carillon_start_lateness_seconds',
    'From the minute a scheduled job is due to the start of its first process, by the clock of the worker',
    latenessBounds,
  );
  readonly #deliveries = new Counter(
    'carillon_deliveries_total',
    'Web hooks and e-mails that are over',
    ['hook', 'mail'].flatMap((type) => outcomes.map((outcome) => ({ type, outcome }))),
  );
  readonly #commits = new Counter('carillon_commits_total', 'Commits of the primary that Redis confirmed');
  readonly #changes = new Counter('carillon_committed_changes_total', 'Changes in the confirmed commits');
  readonly #commitFailures = new Counter(
    'carillon_commit_failures_total',
    'Commits that were refused or not confirmed; each ends a term',
  );
  readonly #commitSeconds = new Histogram(
    'carillon_commit_duration_seconds',
    'From a commit to its confirmation',
    commitBounds,
  );

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  families(): Family[] {
    return [
      this.#terms,
      this.#launches,
      this.#starts,
      this.#ends,
      this.#retries,
      this.#jobSeconds,
      this.#launchLateness,
      this.#startLateness,
      this.#deliveries,
      this.#commits,
      this.#changes,
      this.#commitFailures,
      this.#commitSeconds,
    ].map((instrument) => instrument.family());
  }

  onTerm(_session: Session, state: ClusterState): void {
    this.#terms.add(1);
    this.#active = new Set(state.jobs.keys());
    this.#unstarted.clear();
    for (const [id, job] of state.jobs) if (!isClaimed(job) && job.attempt === 1) this.#unstarted.add(id);
  }

  onCommit(changes: readonly Change[], tookMs: number): void {
    this.#commits.add(1);
    this.#changes.add(changes.length);
    this.#commitSeconds.observe(tookMs / 1000);
    for (const change of changes) this.#onChange(change);
  }

  onCommitFailed(): void {
    this.#commitFailures.add(1);
  }

  onStarted(job: ActiveJob): void {
    this.#starts.add(1);
    if (this.#unstarted.delete(job.fields.id)) this.#observeStart(job.fields);
  }

  onEnded(record: JobFields, ending: EndKind): void {
    this.#ends.add(1, { ending, outcome: record.code === 0 ? 'success' : 'failure' });
    this.#jobSeconds.add(record.elapsed ?? 0);
  }

  onRetry(): void {
    this.#retries.add(1);
  }

  #onChange(change: Change): void {
    if (change.type === 'job') this.#onJob(change.job);
    else if (change.type === 'finish') this.#onFinish(change.record);
    else if (change.type === 'forget-job') {
      this.#active.delete(change.id);
      this.#unstarted.delete(change.id);
    } else if (change.type === 'delivered') {
      const { type, code } = change.row;
      this.#deliveries.add(1, { type, outcome: code === 0 ? 'success' : 'failure' });
    }
  }

  #onFinish(record: JobFields): void {
    this.#active.delete(record.id);
    // Its result was faster than the report of its start, or that report got lost.
    if (!this.#unstarted.delete(record.id) || !hasRun(record)) return;
    this.#starts.add(1);
    this.#observeStart(record);
  }

  #onJob({ fields }: ActiveJob): void {
    if (this.#active.has(fields.id)) return;
    this.#active.add(fields.id);
    this.#unstarted.add(fields.id);
    const cause = causeOf(fields);
    this.#launches.add(1, { cause });
    if (cause === 'schedule') this.#launchLateness.observe(lateSec(this.#clock.nowMs() / 1000, fields.now));
  }

  #observeStart(fields: JobFields): void {
    if (causeOf(fields) !== 'schedule' || fields.time_start === undefined) return;
    this.#startLateness.observe(lateSec(fields.time_start, fields.now));
  }
}

const hasRun = ({ pid, time_start: start }: JobFields): boolean =>
  typeof pid === 'number' && pid > 0 && start !== undefined;

const lateSec = (atSec: number, dueSec: number): number => Math.max(0, atSec - dueSec);

/** Scheduled jobs are those without a source (behaviour reference 5.1). */
function causeOf(fields: JobFields): Cause {
  if (fields['source_event'] !== undefined) return 'chain';
  if (fields['api_key'] !== undefined) return 'api_key';
  return fields['source'] === undefined ? 'schedule' : 'user';
}
