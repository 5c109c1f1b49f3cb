import type { Change, PastList } from '@carillon/core';
import type { KeySpace } from '../../redis/key-space.js';
import { type Command, longestExpireSec, statsExpireSec, wholeNumber } from '../command.js';

/** Copies and stages that nobody comes back for go away after this time. */
export const transferLifeSec = 3_600;
/** Rows pushed by one command: Lua hands on a limited number of words at a time. */
const rowsPerPush = 500;

type TransferChange = Extract<
  Change,
  { type: 'totals' | 'past-job' | 'past-rows' | 'staged' | 'copy-lists' }
>;

/** The commands of the changes that only exports and imports make. */
export function transferCommands(change: TransferChange, keys: KeySpace): Command[] {
  switch (change.type) {
    case 'totals':
      return totalsCommands(change, keys);
    case 'past-job': {
      const expireSec = Math.min(longestExpireSec, Math.max(1, Math.ceil(change.expireSec)));
      const key = keys.job(change.record.id);
      return [['SET', key, JSON.stringify(change.record), 'EX', String(expireSec), 'NX']];
    }
    case 'past-rows':
      return pastRowsCommands(change, keys);
    case 'staged':
      return [['staged', keys.stage(change.stage), String(change.pieces)]];
    case 'copy-lists':
      return copyCommands(change, keys);
  }
}

/** Key of a list of what is over. */
export function pastListKey(list: PastList, keys: KeySpace): string {
  switch (list.list) {
    case 'history':
      return keys.history;
    case 'activity':
      return keys.activity;
    case 'deliveries':
      return keys.deliveryRows;
    case 'event':
      return keys.historyOf(list.event);
  }
}

function totalsCommands({ day, totals }: Extract<Change, { type: 'totals' }>, keys: KeySpace): Command[] {
  const stats = keys.stats(day);
  const fields = {
    jobs_completed: totals.jobs_completed,
    jobs_failed: totals.jobs_failed,
    jobs_elapsed_ms: totals.jobs_elapsed * 1000,
    jobs_log_size: totals.jobs_log_size,
    emails_sent: totals.emails_sent,
  };
  return [
    ['HSET', keys.master, 'stats_day', day],
    ['HSET', stats, ...Object.entries(fields).flatMap(([name, value]) => [name, wholeNumber(value)])],
    ['EXPIRE', stats, String(statsExpireSec)],
  ];
}

function pastRowsCommands(change: Extract<Change, { type: 'past-rows' }>, keys: KeySpace): Command[] {
  const { rows, rowMax } = change;
  if (rowMax < 1 || rows.length === 0) return [];
  const key = pastListKey(change.to, keys);
  const commands: Command[] = [];
  for (let start = 0; start < rows.length; start += rowsPerPush) {
    const texts = rows.slice(start, start + rowsPerPush).map((row) => JSON.stringify(row));
    commands.push(['RPUSH', key, ...texts]);
  }
  return [...commands, ['LTRIM', key, '0', String(Math.floor(rowMax) - 1)]];
}

function copyCommands(change: Extract<Change, { type: 'copy-lists' }>, keys: KeySpace): Command[] {
  const lists = [
    keys.history,
    keys.activity,
    keys.deliveryRows,
    ...change.events.map((event) => keys.historyOf(event)),
  ];
  return lists.flatMap((list): Command[] => {
    const copy = keys.copy(change.copy, list);
    return [
      ['COPY', list, copy, 'REPLACE'],
      ['EXPIRE', copy, String(transferLifeSec)],
    ];
  });
}
