import {
  CarillonError,
  compileSchema,
  type DeliveryRow,
  type HistoryRow,
  HistoryRowSchema,
  type JobFields,
  type MasterState,
} from '@carillon/contract';
import type { ActivityEntry } from '../ports/store/store.js';
import type { Tables } from '../state/change.js';
import { checkStoredRecord, isObject } from './stored-record.js';
import { type TransferTable, transferTables } from './transfer-tables.js';

export type RecordLine = {
  [T in TransferTable]: { type: 'record'; table: T; record: Tables[T] };
}[TransferTable];

/** What is known of the scheduler beside the events. */
export interface StateLine {
  type: 'state';
  /** Tables that are complete in this data, whether they hold anything or not. */
  tables: TransferTable[];
  enabled?: 0 | 1;
  /** Minute whose launches are all done, Unix seconds. */
  tick_minute?: number;
  /** Totals of a day, YYYY-MM-DD. */
  stats?: { day: string; totals: MasterState['stats'] };
}

/**
 * One line of an export between header and trailer, and the form in which data is handed to `add_to_import`. Records
 * come newest first, tables in the order of `transferTables`, and all of them before what is over.
 */
export type TransferLine =
  | RecordLine
  | StateLine
  | { type: 'cursor'; event: string; minute: number }
  | { type: 'redo'; event: string; minutes: number[] }
  | { type: 'robin'; event: string; index: number }
  /** A completed job. */
  | { type: 'job'; record: JobFields }
  /** A row of the history of all events, which the history of its event holds as well. */
  | { type: 'history'; row: HistoryRow }
  /** A row that only the history of its event holds. */
  | { type: 'event_history'; row: HistoryRow }
  | { type: 'activity'; row: ActivityEntry }
  | { type: 'delivery'; row: DeliveryRow };

const isHistoryRow = compileSchema(HistoryRowSchema);
const idPattern = /^\w{1,64}$/;
const refuse = (reason: string) => new CarillonError('api', reason);

/**
 * A line as it may be stored. Nothing it holds is believed: throws CarillonError `api` with what is wrong, naming the
 * record and the field.
 */
export function checkTransferLine(value: unknown): TransferLine {
  if (!isObject(value)) throw refuse('Not an object');
  switch (value['type']) {
    case 'record':
      return checkRecordLine(value);
    case 'state':
      return checkStateLine(value);
    case 'cursor':
      return { type: 'cursor', event: idOf(value, 'event'), minute: wholeOf(value, 'minute') };
    case 'redo':
      return { type: 'redo', event: idOf(value, 'event'), minutes: wholesOf(value, 'minutes') };
    case 'robin':
      return { type: 'robin', event: idOf(value, 'event'), index: wholeOf(value, 'index') };
    case 'job':
      return { type: 'job', record: checkJob(value['record']) };
    case 'history':
    case 'event_history':
      return { type: value['type'], row: checkHistoryRow(value['row']) };
    case 'activity':
      return { type: 'activity', row: checkActivity(value['row']) };
    case 'delivery':
      return { type: 'delivery', row: checkDelivery(value['row']) };
    default:
      throw refuse(`Unknown type of line: ${short(value['type'])}`);
  }
}

function checkRecordLine(value: Readonly<Record<string, unknown>>): RecordLine {
  const table = transferTables.find((name) => name === value['table']);
  if (table === undefined) throw refuse(`Unknown table: ${short(value['table'])}`);
  // The record has been checked for this table.
  return { type: 'record', table, record: checkStoredRecord(table, value['record']) } as RecordLine;
}

function checkStateLine(value: Readonly<Record<string, unknown>>): StateLine {
  const { tables, enabled, stats } = value;
  if (!Array.isArray(tables)) throw refuse('Malformed state: tables (must be a list)');
  const line: StateLine = {
    type: 'state',
    tables: transferTables.filter((name) => (tables as unknown[]).includes(name)),
  };
  if (enabled !== undefined) line.enabled = enabled ? 1 : 0;
  if (value['tick_minute'] !== undefined) line.tick_minute = wholeOf(value, 'tick_minute');
  if (stats !== undefined) line.stats = checkStats(stats);
  return line;
}

function checkStats(value: unknown): NonNullable<StateLine['stats']> {
  const day = isObject(value) ? value['day'] : undefined;
  const totals = isObject(value) ? value['totals'] : undefined;
  if (typeof day !== 'string' || !/^(?:\d{4}-\d\d-\d\d)?$/.test(day) || !isObject(totals)) {
    throw refuse('Malformed state: stats');
  }
  const count = (name: string) => numberOf(totals, name);
  return {
    day,
    totals: {
      jobs_completed: count('jobs_completed'),
      jobs_failed: count('jobs_failed'),
      jobs_elapsed: count('jobs_elapsed'),
      jobs_log_size: count('jobs_log_size'),
      emails_sent: count('emails_sent'),
    },
  };
}

function checkJob(value: unknown): JobFields {
  if (!isObject(value)) throw refuse('Malformed job: record (must be object)');
  const id = idOf(value, 'id');
  for (const name of ['event', 'category', 'plugin', 'event_title', 'hostname'] as const) {
    if (typeof value[name] !== 'string') throw refuse(`Malformed job ${id}: ${name}`);
  }
  if (!isObject(value['params'])) throw refuse(`Malformed job ${id}: params`);
  for (const name of ['now', 'time_start', 'time_end', 'elapsed'] as const) {
    if (value[name] !== undefined) numberOf(value, name, `job ${id}`);
  }
  if (value['complete'] !== 1) throw refuse(`Malformed job ${id}: complete (must be 1)`);
  return value as JobFields;
}

function checkHistoryRow(value: unknown): HistoryRow {
  if (isHistoryRow(value)) return value as unknown as HistoryRow;
  const id = isObject(value) ? value['id'] : undefined;
  throw refuse(`Malformed history row: ${short(id)}`);
}

function checkActivity(value: unknown): ActivityEntry {
  if (!isObject(value) || typeof value['action'] !== 'string' || !Number.isSafeInteger(value['epoch'])) {
    throw refuse('Malformed activity entry: it needs an action and an epoch');
  }
  return value as ActivityEntry;
}

function checkDelivery(value: unknown): DeliveryRow {
  if (!isObject(value)) throw refuse('Malformed delivery: row (must be object)');
  idOf(value, 'id');
  wholeOf(value, 'epoch');
  return value as unknown as DeliveryRow;
}

function idOf(value: Readonly<Record<string, unknown>>, name: string): string {
  const id = value[name];
  if (typeof id !== 'string' || !idPattern.test(id)) throw refuse(`Malformed ${name}: ${short(id)}`);
  return id;
}

function wholeOf(value: Readonly<Record<string, unknown>>, name: string): number {
  const number = value[name];
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0) {
    throw refuse(`Malformed ${name}: ${short(number)}`);
  }
  return number;
}

function wholesOf(value: Readonly<Record<string, unknown>>, name: string): number[] {
  const list = value[name];
  if (!Array.isArray(list) || !list.every((item) => Number.isSafeInteger(item) && item >= 0)) {
    throw refuse(`Malformed ${name}: must be a list of whole numbers`);
  }
  return list as number[];
}

function numberOf(value: Readonly<Record<string, unknown>>, name: string, where = 'state'): number {
  const number = value[name];
  if (typeof number !== 'number' || !Number.isFinite(number)) throw refuse(`Malformed ${where}: ${name}`);
  return number;
}

const short = (value: unknown): string => String(JSON.stringify(value) ?? value).slice(0, 80);
