import type { HistoryRow, JobFields, JobOutcome } from '@carillon/contract';
import { withShownHook } from '../hooks/public-record.js';
import { type ActiveJob, withoutPluginSecrets } from '../state/active-job.js';
import type { Change } from '../state/change.js';
import { keepDays } from '../upkeep/retention.js';
import { type EndKind, type EndRule, endRules } from './end-rules.js';
import { chainLaunch, type FollowUpLaunch, minuteToRedo, rerunLaunch } from './follow-ups.js';
import { historyRow } from './history-row.js';
import type { JobEnding } from './job-ending.js';
import { normaliseCode } from './normalise-code.js';
import { planRetry } from './plan-retry.js';

/** What completion needs to know beside the job and how it ended. */
export interface CompletionContext {
  /** Wall clock, Unix milliseconds. */
  nowMs: number;
  /** Today in the primary's zone, YYYY-MM-DD. */
  day: string;
  /** Days a completed job is kept unless its event says otherwise (`job_data_expire_days`). */
  expireDays: number;
  /** Rows kept in each history list and in the activity log (`list_row_max`). */
  rowMax: number;
}

/** What to do about a job that has ended. */
export type EndPlan =
  /** The result is not of the job's present attempt: nothing. */
  | { kind: 'stale' }
  /** Another attempt: the job, waiting for its time. */
  | { kind: 'retry'; job: ActiveJob }
  | JobEnd;

/** The end of a job and all that follows from it; each of it once, in one commit. */
export interface JobEnd {
  kind: 'end';
  /** With its web hook as it is called and the parameters its process had; the changes have it without credentials. */
  record: JobFields;
  /** How it came to its end. */
  ending: EndKind;
  rule: EndRule;
  changes: Change[];
  launches: FollowUpLaunch[];
  /** Minute of a scheduled catch-up job to launch once more, Unix seconds. */
  redoMinute?: number;
}

const secondsPerDay = 86_400;

/** Keys a plugin may report that end up in the job's record (behaviour reference 6.3). */
const reportedKeys = [
  'progress',
  'perf',
  'table',
  'html',
  'label',
  'chain',
  'chain_error',
  'chain_data',
  'chain_params',
  'notify_success',
  'notify_fail',
  'update_event',
] as const;

/**
 * What follows from the end of a job (behaviour reference 5.7, 5.8, 5.10, 5.12, 5.14). A recorded abort wins over whatever
 * the process said. Pure; a job that has a next attempt does not end.
 */
export function planEnd(job: ActiveJob, ending: JobEnding, context: CompletionContext): EndPlan {
  if (ending.how === 'result' && ending.result.attempt !== job.attempt) return { kind: 'stale' };
  const { outcome, kind } = outcomeOfEnding(job, ending);
  const rule = endRules[kind];
  const code = normaliseCode(outcome.code);
  const retry = code !== 0 && rule.retry ? planRetry(job, ending, context.nowMs) : undefined;
  if (retry !== undefined) return { kind: 'retry', job: retry };
  const { abort: _kind, ...shown } = outcome;
  const fields = fieldsAtEnd(job, ending, context);
  const record: JobFields = { ...fields, ...shown, code, complete: 1, elapsed: elapsedOf(fields) };
  // Whoever reads the record of an aborted job must not expect another attempt.
  if (outcome.abort_reason !== undefined && Object.hasOwn(fields, 'retries')) record['retries'] = 0;
  const launches = [chainLaunch(record, rule, context.nowMs), rerunLaunch(record, kind)];
  const redoMinute = minuteToRedo(record, rule, job.abort?.noRewind === true);
  const kept = withShownHook(withoutPluginSecrets(record, job));
  return {
    kind: 'end',
    record,
    ending: kind,
    rule,
    changes: finishChanges(kept, historyRow(record, context.nowMs), context),
    launches: launches.filter((launch) => launch !== undefined),
    ...(redoMinute === undefined ? {} : { redoMinute }),
  };
}

function outcomeOfEnding(job: ActiveJob, ending: JobEnding): { outcome: JobOutcome; kind: EndKind } {
  if (job.abort !== undefined) {
    const { reason, kind } = job.abort;
    const outcome: JobOutcome = { code: 1, description: `Job Aborted: ${reason}`, abort_reason: reason };
    // What the worker noticed stays true, whoever decides about the outcome.
    const warning = ending.how === 'result' ? ending.result.outcome.warning : undefined;
    return { outcome: warning === undefined ? outcome : { ...outcome, warning }, kind };
  }
  switch (ending.how) {
    case 'result':
      return { outcome: ending.result.outcome, kind: ending.result.outcome.abort ?? 'exit' };
    case 'aborted':
      return { outcome: { code: 1, description: 'Job Aborted' }, kind: 'manual' };
    case 'lost': {
      const description = `Aborted Job: Server '${ending.hostname}' shut down unexpectedly.`;
      return { outcome: { code: 1, description }, kind: 'lost' };
    }
    case 'unlaunchable':
      return { outcome: { code: 1, description: ending.description }, kind: 'unlaunchable' };
  }
}

/** The job's fields with what is known of its run; times of a job that never ran are those of its end. */
function fieldsAtEnd(job: ActiveJob, ending: JobEnding, context: CompletionContext): JobFields {
  // Only has a meaning while the job is waiting.
  const { when: _when, ...fields } = job.fields;
  if (ending.how !== 'result') {
    const now = context.nowMs / 1000;
    const start = fields.time_start === undefined || fields.time_start > now ? now : fields.time_start;
    const size = fields.log_file_size ?? 0;
    const lost = ending.how === 'lost' ? { special_shutdown: true } : {};
    return { ...fields, ...lost, time_start: start, time_end: now, log_file_size: size };
  }
  const { result } = ending;
  return {
    ...fields,
    ...pickReported(result.reported),
    hostname: result.hostname,
    pid: result.pid,
    time_start: result.time_start,
    time_end: result.time_end,
    log_file_size: result.log_file_size,
    ...(result.cpu === undefined ? {} : { cpu: result.cpu }),
    ...(result.mem === undefined ? {} : { mem: result.mem }),
  };
}

function elapsedOf({ time_start: start = 0, time_end: end = start }: JobFields): number {
  return Math.max(0, Math.round((end - start) * 1000) / 1000);
}

function finishChanges(record: JobFields, row: HistoryRow, context: CompletionContext): Change[] {
  const expireSec = keepDays(record['log_expire_days'], context.expireDays) * secondsPerDay;
  const changes: Change[] = [
    { type: 'finish', record, row, expireSec, rowMax: context.rowMax, day: context.day },
  ];
  if (row.code !== 0) changes.push({ type: 'activity', entry: { ...row }, rowMax: context.rowMax });
  return changes;
}

function pickReported(reported: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const key of reportedKeys) {
    if (Object.hasOwn(reported, key)) picked[key] = reported[key];
  }
  return picked;
}
