import type { HistoryRow, JobFields, JobOutcome, JobResult } from '@carillon/contract';
import type { ActiveJob } from '../state/active-job.js';
import type { Change } from '../state/change.js';
import { hasOwnDays } from '../upkeep/retention.js';

/** What completion needs to know beside the job and its outcome. */
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
 * Changes that end a job with the result of its run, or an empty list when the result is not of the
 * job's present attempt. A recorded abort wins over whatever the process said (behaviour reference 5.10).
 */
export function planCompletion(job: ActiveJob, result: JobResult, context: CompletionContext): Change[] {
  if (result.attempt !== job.attempt) return [];
  const fields: JobFields = {
    ...withoutTransient(job.fields),
    ...pickReported(result.reported),
    hostname: result.hostname,
    pid: result.pid,
    time_start: result.time_start,
    time_end: result.time_end,
    log_file_size: result.log_file_size,
    ...(result.cpu === undefined ? {} : { cpu: result.cpu }),
    ...(result.mem === undefined ? {} : { mem: result.mem }),
  };
  return finishChanges(fields, abortedOutcome(job) ?? result.outcome, context);
}

/** Changes that end a job without a result: aborted before it started, or lost with its worker. */
export function planUnrunEnd(job: ActiveJob, outcome: JobOutcome, context: CompletionContext): Change[] {
  const now = context.nowMs / 1000;
  const planned = job.fields.time_start;
  const started = planned === undefined || planned > now ? now : planned;
  const fields: JobFields = {
    ...withoutTransient(job.fields),
    time_start: started,
    time_end: now,
    log_file_size: job.fields.log_file_size ?? 0,
  };
  return finishChanges(fields, outcome, context);
}

/** Outcome of an aborted job: code 1, the reason in both texts. */
export function abortedOutcome(job: ActiveJob): JobOutcome | undefined {
  if (job.abort === undefined) return undefined;
  return { code: 1, description: `Job Aborted: ${job.abort.reason}`, abort_reason: job.abort.reason };
}

/** Outcome of a job whose worker is gone (behaviour reference 5.12). */
export function lostOutcome(hostname: string): JobOutcome {
  return { code: 1, description: `Aborted Job: Server '${hostname}' shut down unexpectedly.` };
}

function finishChanges(fields: JobFields, outcome: JobOutcome, context: CompletionContext): Change[] {
  const start = fields.time_start ?? context.nowMs / 1000;
  const end = fields.time_end ?? start;
  const record: JobFields = {
    ...fields,
    ...outcome,
    code: normaliseCode(outcome.code),
    complete: 1,
    elapsed: Math.max(0, Math.round((end - start) * 1000) / 1000),
  };
  const row = historyRow(record, context);
  const days = typeof record['log_expire_days'] === 'number' ? record['log_expire_days'] : 0;
  const expireSec = (days > 0 ? days : context.expireDays) * secondsPerDay;
  const changes: Change[] = [
    { type: 'finish', record, row, expireSec, rowMax: context.rowMax, day: context.day },
  ];
  if (row.code !== 0) {
    changes.push({ type: 'activity', entry: { ...row }, rowMax: context.rowMax });
  }
  return changes;
}

/** The history row of a completed job (behaviour reference 3.4). */
export function historyRow(record: JobFields, context: Pick<CompletionContext, 'nowMs'>): HistoryRow {
  const code = record.code ?? 0;
  return {
    id: record.id,
    code,
    ...(code === 0 ? {} : { description: record.description ?? '' }),
    event: record.event,
    event_title: record.event_title,
    category: record.category,
    category_title: record.category_title,
    plugin: record.plugin,
    plugin_title: record.plugin_title,
    hostname: record.hostname,
    target: record.target,
    time_start: record.time_start ?? 0,
    elapsed: record.elapsed ?? 0,
    perf: record.perf ?? '',
    cpu: record.cpu ?? {},
    mem: record.mem ?? {},
    log_file_size: record.log_file_size ?? 0,
    ...(record.label === undefined ? {} : { label: record.label }),
    ...(hasOwnDays(record['log_expire_days']) ? { log_expire_days: record['log_expire_days'] } : {}),
    action: 'job_complete',
    epoch: Math.floor(context.nowMs / 1000),
  };
}

/** Numbers given as text count as numbers, so that `"0"` is success everywhere. */
export function normaliseCode(code: number | string): number | string {
  if (typeof code === 'string' && /^\s*-?\d+\s*$/.test(code)) return Number(code);
  return code;
}

function pickReported(reported: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const key of reportedKeys) {
    if (Object.hasOwn(reported, key)) picked[key] = reported[key];
  }
  return picked;
}

/** Drops what only has a meaning while the job is waiting. */
function withoutTransient(fields: JobFields): JobFields {
  const { when: _when, ...rest } = fields;
  return rest;
}
