import { withShownHook } from '../hooks/public-record.js';
import type { AbortKind, JobFields, JobState } from '@carillon/contract';

/** Why and by whose wish a job is being ended. */
export interface AbortRequest {
  /** Text that goes into `abort_reason` and the description. */
  reason: string;
  kind: AbortKind;
  /** True: the minute of a scheduled catch-up job is not made up again, whatever its kind of abort says. */
  noRewind?: true;
}

/** A job that is not completed: the wire fields plus what only the control plane knows. */
export interface ActiveJob {
  /**
   * `queued` waits for room; `waiting` for its time (`dueMs`); `dispatched` has a ticket; `running` is claimed
   * by a worker; `silent` is claimed by a worker that has stopped beating; `settled` has ended and its result
   * is on the way.
   */
  state: Exclude<JobState, 'completed'>;
  /** Counted from 1; grows with each retry. */
  attempt: number;
  /** Launch order: larger is later. */
  seq: number;
  /** Node id of the chosen server; '' while queued. */
  node: string;
  /** Boot of the worker that claimed the run. */
  boot?: string;
  /** Planned start of a waiting job, Unix milliseconds. */
  dueMs?: number;
  /** A retry that finds no server gives up then, Unix milliseconds. */
  retryUntilMs?: number;
  /** Settings changed since the launch: told again to a worker that may have missed them. */
  updates?: Readonly<Record<string, unknown>>;
  /** Recorded wish to end the job; survives failover. */
  abort?: AbortRequest;
  /** Parameters whose values are the plugin's own and for administrators alone; absent: none. */
  hiddenParams?: readonly string[];
  fields: JobFields;
}

/**
 * Fields of a job without what only its process is to know of its plugin: the environment, and the values of hidden
 * parameters. For clients and records.
 */
export function withoutPluginSecrets(
  fields: JobFields,
  { hiddenParams = [] }: Pick<ActiveJob, 'hiddenParams'>,
): JobFields {
  if (fields.env === undefined && hiddenParams.length === 0) return fields;
  const { env: _env, ...shown } = fields;
  const params = { ...shown.params };
  for (const id of hiddenParams) if (Object.hasOwn(params, id)) params[id] = '';
  return { ...shown, params };
}

/**
 * The job as clients see it: `state`, and `elapsed` computed for `nowMs` while it is active.
 * Credentials of its web hook and secrets of its plugin are left out. Never shares structure that callers could change.
 */
export function viewActiveJob(job: ActiveJob, nowMs: number): JobFields & { state: JobState } {
  const view: JobFields & { state: JobState } = {
    ...withShownHook(withoutPluginSecrets(job.fields, job)),
    state: job.state,
  };
  const start = job.fields.time_start;
  if (start !== undefined) view.elapsed = Math.max(0, Math.round(nowMs - start * 1000) / 1000);
  if (job.dueMs !== undefined && job.state === 'waiting') view.when = job.dueMs / 1000;
  return view;
}

/** A run as a store keeps it, beside the job. */
export interface StoredRun {
  attempt: number;
  node: string;
  state: 'dispatched' | 'claimed' | 'revoked';
  /** Boot of the worker that claimed it; '' before. */
  boot: string;
}

/**
 * The job as its run says: a claim does not write the job again. A run that was taken back by a primary which
 * did not come to the next step makes the job due at once.
 */
export function withStoredRun(job: ActiveJob, run: StoredRun | undefined): ActiveJob {
  if (run === undefined) return job;
  const { dueMs: _due, boot: _boot, ...rest } = job;
  const merged = { ...rest, attempt: run.attempt, node: run.node };
  if (run.state === 'claimed') return { ...merged, state: 'running', boot: run.boot };
  if (run.state === 'dispatched') return { ...merged, state: 'dispatched' };
  return { ...merged, state: 'waiting', dueMs: 0 };
}
