import type { Delivery } from '@carillon/contract';
import { type ActiveJob, type Change, type DayStats, type TableName, tableNames } from '@carillon/core';
import type { Redis } from 'ioredis';
import type { KeySpace } from '../redis/key-space.js';
import { readHash, visitHash } from './read-hash.js';
import { decodeRun, type RunEntry } from './run-entry.js';
import { readTotals, type StoredState } from './stored-state.js';

/**
 * Reads everything the primary keeps in memory. Rejects with the key and field of a record that cannot be read, so
 * that damage is seen and never silently dropped by the next write.
 */
export async function readState(redis: Redis, keys: KeySpace): Promise<StoredState> {
  const [puts, master, cursors, redos, robins, jobs, deliveries, dispatches, runs] = await Promise.all([
    Promise.all(tableNames.map((table) => readTable(redis, keys, table))),
    readHash(redis, keys.master),
    readHash(redis, keys.cursors),
    readHash(redis, keys.redos),
    readHash(redis, keys.robins),
    readRecords<ActiveJob>(redis, keys.jobs),
    readRecords<Delivery>(redis, keys.deliveries),
    readHash(redis, keys.dispatches),
    readHash(redis, keys.runs),
  ]);
  const minute = master.get('tick_minute');
  return {
    puts: puts.flat(),
    enabled: master.get('enabled') === '0' ? 0 : 1,
    tickMinute: minute === undefined ? undefined : Number(minute),
    cursors: numbers(cursors),
    redos: lists(redos, keys),
    robins: numbers(robins),
    jobs,
    deliveries,
    dispatches: readDispatches(dispatches, keys),
    runs: readRuns(runs),
    stats: await readStats(redis, keys, master.get('stats_day')),
  };
}

async function readTable(
  redis: Redis,
  keys: KeySpace,
  table: TableName,
): Promise<Extract<Change, { type: 'put' }>[]> {
  const puts: Extract<Change, { type: 'put' }>[] = [];
  await visitHash(redis, keys.table(table), (id, text) => {
    const space = text.indexOf(' ');
    const seq = Number(text.slice(0, space));
    const where = `${keys.table(table)} ${id}`;
    if (space < 1 || !Number.isFinite(seq)) throw new Error(`Unreadable record in Redis: ${where}`);
    // The table a record was written to is the table it is read from.
    const json = text.slice(space + 1);
    puts.push({ type: 'put', table, seq, record: parse<never>(json, where), json });
  });
  return puts;
}

async function readRecords<T>(redis: Redis, key: string): Promise<T[]> {
  const records: T[] = [];
  await visitHash(redis, key, (id, json) => records.push(parse<T>(json, `${key} ${id}`)));
  return records;
}

function readDispatches(
  texts: ReadonlyMap<string, string>,
  keys: KeySpace,
): Map<string, { attempt: number; node: string }> {
  const dispatches = new Map<string, { attempt: number; node: string }>();
  for (const [id, text] of texts) {
    const [attempt, node] = parse<[number, string]>(text, `${keys.dispatches} ${id}`);
    dispatches.set(id, { attempt, node });
  }
  return dispatches;
}

function readRuns(texts: ReadonlyMap<string, string>): Map<string, RunEntry> {
  const runs = new Map<string, RunEntry>();
  for (const [id, text] of texts) {
    const run = decodeRun(text);
    if (run !== undefined) runs.set(id, run);
  }
  return runs;
}

async function readStats(redis: Redis, keys: KeySpace, day = ''): Promise<DayStats> {
  const counters = day === '' ? new Map<string, string>() : await readHash(redis, keys.stats(day));
  return { day, totals: readTotals(counters) };
}

function numbers(texts: ReadonlyMap<string, string>): Map<string, number> {
  return new Map([...texts].map(([id, text]) => [id, Number(text)]));
}

function lists(texts: ReadonlyMap<string, string>, keys: KeySpace): Map<string, number[]> {
  return new Map([...texts].map(([id, text]) => [id, parse<number[]>(text, `${keys.redos} ${id}`)]));
}

/** Parses what this store wrote itself. Throws an Error that says where the text is from. */
export function parse<T>(json: string, where: string): T {
  try {
    const value: T = JSON.parse(json);
    return value;
  } catch {
    throw new Error(`Unreadable record in Redis: ${where}`);
  }
}
