import type { JobFields } from '@carillon/contract';
import type { ActiveJob } from '../state/active-job.js';
import type { JobEnding } from './job-ending.js';

/** What an attempt leaves in the live view of a job: the next one starts without. */
const ofAttempt = ['pid', 'progress', 'cpu', 'mem', 'when'] as const;

/**
 * The next attempt of a failed job that has retries left (behaviour reference 5.7), waiting for its time, which is after
 * `retry_delay` seconds or now; undefined when it has none. Same id, same server, same `time_start`; nothing the failed
 * attempt reported is kept (13 #45).
 */
export function planRetry(job: ActiveJob, ending: JobEnding, nowMs: number): ActiveJob | undefined {
  const retries = countOf(job.fields['retries']);
  if (retries === 0) return undefined;
  const fields: JobFields = { ...job.fields, retries: retries - 1 };
  for (const key of ofAttempt) delete fields[key];
  if (ending.how === 'result') {
    fields.time_start = ending.result.time_start;
    fields.log_file_size = ending.result.log_file_size;
  }
  const { boot: _boot, updates: _updates, ...rest } = job;
  return {
    ...rest,
    state: 'waiting',
    attempt: job.attempt + 1,
    dueMs: nowMs + countOf(job.fields['retry_delay']) * 1000,
    fields,
  };
}

const countOf = (value: unknown): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
