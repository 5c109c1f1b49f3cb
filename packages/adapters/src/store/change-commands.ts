import type { ActiveJob, Change } from '@carillon/core';
import type { KeySpace } from '../redis/key-space.js';
import { type Command, longestExpireSec, statsExpireSec, wholeNumber } from './command.js';
import { claimedPrefix, encodeDispatched } from './run-entry.js';
import { transferCommands } from './transfer/transfer-commands.js';

export type { Command } from './command.js';

/**
 * The commands that carry out a change, in order: the store's counterpart of `ClusterState.applyChange`. Whole
 * numbers are written as digits; bodies are JSON.
 */
export function changeCommands(change: Change, keys: KeySpace): Command[] {
  switch (change.type) {
    case 'put':
      return [
        [
          'HSET',
          keys.table(change.table),
          change.record.id,
          `${change.seq} ${JSON.stringify(change.record)}`,
        ],
      ];
    case 'delete':
      return [['HDEL', keys.table(change.table), change.id]];
    case 'switch':
      return [['HSET', keys.master, 'enabled', String(change.enabled)]];
    case 'tick':
      return [['HSET', keys.master, 'tick_minute', String(change.minute)]];
    case 'cursor':
      return change.minute === null
        ? [['HDEL', keys.cursors, change.event]]
        : [['HSET', keys.cursors, change.event, String(change.minute)]];
    case 'redo':
      return change.minutes.length === 0
        ? [['HDEL', keys.redos, change.event]]
        : [['HSET', keys.redos, change.event, JSON.stringify(change.minutes)]];
    case 'robin':
      return [['HSET', keys.robins, change.event, String(change.index)]];
    case 'job':
      return jobCommands(change.job, keys);
    case 'dispatch':
      return dispatchCommands(change, keys);
    case 'finish':
      return finishCommands(change, keys);
    case 'forget-job':
      return removeCommands(change.id, keys);
    case 'forget-event':
      return [
        ['HDEL', keys.cursors, change.event],
        ['HDEL', keys.redos, change.event],
        ['HDEL', keys.robins, change.event],
        ['UNLINK', keys.historyOf(change.event)],
      ];
    case 'activity':
      return pushCommands(keys.activity, JSON.stringify(change.entry), change.rowMax);
    case 'delivery':
      return [['HSET', keys.deliveries, change.delivery.id, JSON.stringify(change.delivery)]];
    case 'delivered':
      return deliveredCommands(change, keys);
    case 'count':
      return countCommands(change, keys);
    case 'totals':
    case 'past-job':
    case 'past-rows':
    case 'staged':
    case 'copy-lists':
      return transferCommands(change, keys);
  }
}

/** A stored job is newer than any earlier dispatch of it; one that waits has no run that could be claimed. */
function jobCommands(job: ActiveJob, keys: KeySpace): Command[] {
  const id = job.fields.id;
  const commands: Command[] = [
    ['HSET', keys.jobs, id, JSON.stringify(job)],
    ['HDEL', keys.dispatches, id],
  ];
  if (job.state === 'queued' || job.state === 'waiting') commands.push(['HDEL', keys.runs, id]);
  return commands;
}

/** A run that is already claimed stays so: dispatching it anew must not let a second worker start it. */
function dispatchCommands(change: Extract<Change, { type: 'dispatch' }>, keys: KeySpace): Command[] {
  const { job, attempt } = change.run;
  return [
    ['only-if', keys.jobs, job, '3'],
    ['HSET', keys.dispatches, job, JSON.stringify([attempt, change.node])],
    ['not-if', keys.runs, job, claimedPrefix(attempt), '1'],
    ['HSET', keys.runs, job, encodeDispatched(attempt, change.node)],
  ];
}

/** Nothing is done for a job that is not active, so that a job ends once whatever is repeated. */
function finishCommands(change: Extract<Change, { type: 'finish' }>, keys: KeySpace): Command[] {
  const { record, row, rowMax } = change;
  const text = JSON.stringify(row);
  const expireSec = Math.min(longestExpireSec, Math.max(1, Math.ceil(change.expireSec)));
  const stats = keys.stats(change.day);
  const commands: Command[] = [
    ...removeCommands(record.id, keys),
    ['SET', keys.job(record.id), JSON.stringify(record), 'EX', String(expireSec)],
    ...pushCommands(keys.history, text, rowMax),
    ...pushCommands(keys.historyOf(row.event), text, rowMax),
    ['HSET', keys.master, 'stats_day', change.day],
    ['HINCRBY', stats, 'jobs_completed', '1'],
    ['HINCRBY', stats, 'jobs_failed', row.code === 0 ? '0' : '1'],
    ['HINCRBY', stats, 'jobs_elapsed_ms', wholeNumber(row.elapsed * 1000)],
    ['HINCRBY', stats, 'jobs_log_size', wholeNumber(row.log_file_size)],
    ['EXPIRE', stats, String(statsExpireSec)],
  ];
  return [['only-if', keys.jobs, record.id, String(commands.length)], ...commands];
}

/** Nothing is done for a delivery that is not in the outbox, so that it has one record whatever is repeated. */
function deliveredCommands(change: Extract<Change, { type: 'delivered' }>, keys: KeySpace): Command[] {
  const commands: Command[] = [
    ['HDEL', keys.deliveries, change.id],
    ...pushCommands(keys.deliveryRows, JSON.stringify(change.row), change.rowMax),
  ];
  return [['only-if', keys.deliveries, change.id, String(commands.length)], ...commands];
}

function countCommands(change: Extract<Change, { type: 'count' }>, keys: KeySpace): Command[] {
  const stats = keys.stats(change.day);
  return [
    ['HSET', keys.master, 'stats_day', change.day],
    ['HINCRBY', stats, change.counter, wholeNumber(change.by)],
    ['EXPIRE', stats, String(statsExpireSec)],
  ];
}

function removeCommands(id: string, keys: KeySpace): Command[] {
  return [
    ['HDEL', keys.jobs, id],
    ['HDEL', keys.dispatches, id],
    ['HDEL', keys.runs, id],
  ];
}

function pushCommands(list: string, row: string, rowMax: number): Command[] {
  if (rowMax < 1) return [['UNLINK', list]];
  return [
    ['LPUSH', list, row],
    ['LTRIM', list, '0', String(Math.floor(rowMax) - 1)],
  ];
}

/** Every key that the commands use, once. Each names one, as its second word; see `Command`. */
export function keysOf(commands: Iterable<Command>): string[] {
  const keys = new Set<string>();
  for (const [, key] of commands) if (key !== undefined) keys.add(key);
  return [...keys];
}

/** All commands of a commit as the script takes them: each preceded by the count of its words. */
export function encodeCommands(commands: Iterable<Command>): string[] {
  const words: string[] = [];
  for (const command of commands) {
    words.push(String(command.length));
    for (const word of command) words.push(word);
  }
  return words;
}
