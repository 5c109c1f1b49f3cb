import type { HistoryRow, JobFields } from '@carillon/contract';
import type { PastChange } from '../state/change.js';
import { keepDays, rowEndSec } from '../upkeep/retention.js';
import type { TransferLine } from './transfer-line.js';

/** Lines about what is over. */
export type PastLine = Extract<
  TransferLine,
  { type: 'job' | 'history' | 'event_history' | 'activity' | 'delivery' }
>;

/** What decides which of the past is taken over. */
export interface PastContext {
  nowSec: number;
  /** Days that jobs without days of their own are kept. */
  expireDays: number;
  /** Rows kept in each list. */
  rowMax: number;
  /** An event of the cluster or of the import: the history of any other is kept among that of all events only. */
  isEvent: (id: string) => boolean;
  /** True for a row that the list has already, by the id of its job; undefined: the list of all events. */
  isKnownRow: (id: string, event: string | undefined) => boolean;
  /** Only what is older than the oldest entry of the lists is added, so that they stay in order. Unix seconds. */
  oldestActivitySec: number;
  oldestDeliverySec: number;
}

const secondsPerDay = 86_400;

/**
 * The changes that add a part of the past, in the order given; lines whose time is over, or that are there already,
 * are left out.
 */
export function planPast(lines: readonly PastLine[], context: PastContext): PastChange[] {
  const changes: PastChange[] = [];
  const history: object[] = [];
  const activities: object[] = [];
  const deliveries: object[] = [];
  const byEvent = new Map<string, object[]>();
  for (const line of lines) {
    if (line.type === 'job') changes.push(...jobChange(line.record, context));
    else if (line.type === 'activity') {
      if (line.row.epoch < context.oldestActivitySec) activities.push(line.row);
    } else if (line.type === 'delivery') {
      if (line.row.epoch < context.oldestDeliverySec) deliveries.push(line.row);
    } else {
      const { row } = line;
      if (rowEndSec(row, context.expireDays) <= context.nowSec) continue;
      if (line.type === 'history' && !context.isKnownRow(row.id, undefined)) history.push(row);
      addToEvent(byEvent, row, context);
    }
  }
  const { rowMax } = context;
  const push = (to: Extract<PastChange, { type: 'past-rows' }>['to'], rows: readonly object[]) => {
    if (rows.length > 0) changes.push({ type: 'past-rows', to, rows, rowMax });
  };
  push({ list: 'history' }, history);
  for (const [event, rows] of byEvent) push({ list: 'event', event }, rows);
  push({ list: 'activity' }, activities);
  push({ list: 'deliveries' }, deliveries);
  return changes;
}

function addToEvent(byEvent: Map<string, object[]>, row: HistoryRow, context: PastContext): void {
  if (!context.isEvent(row.event) || context.isKnownRow(row.id, row.event)) return;
  const rows = byEvent.get(row.event);
  if (rows === undefined) byEvent.set(row.event, [row]);
  else rows.push(row);
}

/** Kept for as long as if the job had completed here. */
function jobChange(record: JobFields, { nowSec, expireDays }: PastContext): PastChange[] {
  const ended = Math.max(record.time_end ?? 0, record.now ?? 0);
  const days = keepDays(record['log_expire_days'], expireDays);
  const expireSec = Math.ceil(Math.min(nowSec, ended) + days * secondsPerDay - nowSec);
  return expireSec > 0 ? [{ type: 'past-job', record, expireSec }] : [];
}
