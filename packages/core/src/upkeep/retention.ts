import type { HistoryRow, JobFields } from '@carillon/contract';
import type { RecordEnd } from '../ports/store/store-upkeep.js';

const secondsPerDay = 86_400;

/**
 * Days that a job's record, row and log are kept: its own `log_expire_days` where it has any, else those of the setting
 * (`job_data_expire_days`; behaviour reference 8.1).
 */
export function keepDays(own: unknown, presetDays: number): number {
  return hasOwnDays(own) ? own : presetDays;
}

/** Whether a value of `log_expire_days` counts: 0 and anything but a number do not. */
export function hasOwnDays(own: unknown): own is number {
  return typeof own === 'number' && own > 0;
}

/** When a history row comes to its end, Unix seconds: counted from its completion by the clock of the primary. */
export function rowEndSec(row: Pick<HistoryRow, 'epoch' | 'log_expire_days'>, presetDays: number): number {
  return row.epoch + keepDays(row.log_expire_days, presetDays) * secondsPerDay;
}

/** The rows whose time is over, in the order given. */
export function expiredRows(rows: readonly HistoryRow[], presetDays: number, nowSec: number): HistoryRow[] {
  return rows.filter((row) => rowEndSec(row, presetDays) <= nowSec);
}

/**
 * Where a changed setting moves the ends of completed jobs: sooner, later, or past. Jobs with days of their own do not
 * depend on it and are left out. Counted from the end of the job or its launch, whichever is later, since the clock of
 * its worker may be slow; and from now when that clock is fast.
 */
export function movedEnds(records: readonly JobFields[], presetDays: number, nowSec: number): RecordEnd[] {
  return records
    .filter((record) => !hasOwnDays(record['log_expire_days']))
    .map((record) => {
      const ended = Math.max(record.time_end ?? 0, record.now ?? 0);
      return { job: record.id, untilSec: Math.ceil(Math.min(nowSec, ended) + presetDays * secondsPerDay) };
    });
}
