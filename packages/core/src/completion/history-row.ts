import type { HistoryRow, JobFields } from '@carillon/contract';
import { hasOwnDays } from '../upkeep/retention.js';

/** The history row of a job that completed now (behaviour reference 3.4). `nowMs`: Unix milliseconds. */
export function historyRow(record: JobFields, nowMs: number): HistoryRow {
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
    epoch: Math.floor(nowMs / 1000),
  };
}
