import type { Change } from '@carillon/core';
import { deliveryOf, deliveryRowOf, eventOf, finishOf, jobOf } from '@carillon/testkit';
import { describe, expect, test } from '@jest/globals';
import { keySpace } from '../../src/redis/index.js';
import { changeCommands, type Command, encodeCommands } from '../../src/store/change-commands.js';

const keys = keySpace('c');
const event = eventOf('e1');
const run = { job: 'j1', attempt: 2 };

const table: [Change, Command[]][] = [
  [
    { type: 'put', table: 'events', seq: 7, record: event },
    [['HSET', '{c}:events', 'e1', `7 ${JSON.stringify(event)}`]],
  ],
  [{ type: 'delete', table: 'api_keys', id: 'k1' }, [['HDEL', '{c}:api_keys', 'k1']]],
  [{ type: 'switch', enabled: 0 }, [['HSET', '{c}:master', 'enabled', '0']]],
  [{ type: 'tick', minute: 60 }, [['HSET', '{c}:master', 'tick_minute', '60']]],
  [{ type: 'cursor', event: 'e1', minute: 120 }, [['HSET', '{c}:cursors', 'e1', '120']]],
  [{ type: 'cursor', event: 'e1', minute: null }, [['HDEL', '{c}:cursors', 'e1']]],
  [{ type: 'redo', event: 'e1', minutes: [60, 120] }, [['HSET', '{c}:redos', 'e1', '[60,120]']]],
  [{ type: 'redo', event: 'e1', minutes: [] }, [['HDEL', '{c}:redos', 'e1']]],
  [{ type: 'robin', event: 'e1', index: 3 }, [['HSET', '{c}:robins', 'e1', '3']]],
  [
    { type: 'job', job: jobOf('j1') },
    [
      ['HSET', '{c}:jobs', 'j1', JSON.stringify(jobOf('j1'))],
      ['HDEL', '{c}:dispatches', 'j1'],
    ],
  ],
  [
    { type: 'dispatch', run, node: 'n1' },
    [
      ['only-if', '{c}:jobs', 'j1', '3'],
      ['HSET', '{c}:dispatches', 'j1', '[2,"n1"]'],
      ['not-if', '{c}:runs', 'j1', '["claimed","2",', '1'],
      ['HSET', '{c}:runs', 'j1', '["dispatched","2","n1"]'],
    ],
  ],
  [
    { type: 'forget-job', id: 'j1' },
    [
      ['HDEL', '{c}:jobs', 'j1'],
      ['HDEL', '{c}:dispatches', 'j1'],
      ['HDEL', '{c}:runs', 'j1'],
    ],
  ],
  [
    { type: 'forget-event', event: 'e1' },
    [
      ['HDEL', '{c}:cursors', 'e1'],
      ['HDEL', '{c}:redos', 'e1'],
      ['HDEL', '{c}:robins', 'e1'],
      ['UNLINK', '{c}:history:e1'],
    ],
  ],
  [
    { type: 'delivery', delivery: deliveryOf('d1') },
    [['HSET', '{c}:deliveries', 'd1', JSON.stringify(deliveryOf('d1'))]],
  ],
  [
    { type: 'delivered', id: 'd1', row: deliveryRowOf('d1'), rowMax: 5 },
    [
      ['only-if', '{c}:deliveries', 'd1', '3'],
      ['HDEL', '{c}:deliveries', 'd1'],
      ['LPUSH', '{c}:delivery-rows', JSON.stringify(deliveryRowOf('d1'))],
      ['LTRIM', '{c}:delivery-rows', '0', '4'],
    ],
  ],
  [
    { type: 'count', day: '2026-01-02', counter: 'emails_sent', by: 2 },
    [
      ['HSET', '{c}:master', 'stats_day', '2026-01-02'],
      ['HINCRBY', '{c}:stats:2026-01-02', 'emails_sent', '2'],
      ['EXPIRE', '{c}:stats:2026-01-02', '3456000'],
    ],
  ],
  [
    { type: 'activity', entry: { action: 'error', epoch: 1 }, rowMax: 5 },
    [
      ['LPUSH', '{c}:activity', '{"action":"error","epoch":1}'],
      ['LTRIM', '{c}:activity', '0', '4'],
    ],
  ],
  [{ type: 'activity', entry: { action: 'error', epoch: 1 }, rowMax: 0 }, [['UNLINK', '{c}:activity']]],
];

describe('the commands of a change', () => {
  test.each(table)('%j', (change, commands) => {
    expect(changeCommands(change, keys)).toEqual(commands);
  });

  test.each(['queued', 'waiting'] as const)('a job that is %s loses its run', (state) => {
    expect(changeCommands({ type: 'job', job: jobOf('j1', { state }) }, keys)).toContainEqual([
      'HDEL',
      '{c}:runs',
      'j1',
    ]);
  });

  test('all of a finish depends on the job being active', () => {
    const commands = changeCommands(finishOf('j1', { code: 1, elapsed: 0.1 + 0.2 }), keys);
    expect(commands[0]).toEqual(['only-if', '{c}:jobs', 'j1', String(commands.length - 1)]);
    expect(commands).toContainEqual(['HINCRBY', '{c}:stats:2026-01-01', 'jobs_failed', '1']);
    expect(commands).toContainEqual(['HINCRBY', '{c}:stats:2026-01-01', 'jobs_elapsed_ms', '300']);
  });

  test.each([
    [0, '1'],
    [0.5, '1'],
    [60, '60'],
    [Number.MAX_SAFE_INTEGER, String(100 * 366 * 86_400)],
  ])('a record kept for %d seconds expires after %s', (expireSec, expected) => {
    const commands = changeCommands({ ...finishOf('j1'), expireSec }, keys);
    expect(commands.find((command) => command[0] === 'SET')?.at(-1)).toBe(expected);
  });

  test('numbers that Redis would refuse count as 0', () => {
    const finish = finishOf('j1', { elapsed: Number.NaN });
    const commands = changeCommands({ ...finish, row: { ...finish.row, log_file_size: 1e300 } }, keys);
    const counts = commands.filter((command) => command[0] === 'HINCRBY').map((command) => command.at(-1));
    expect(counts).toEqual(['1', '0', '0', '0']);
  });
});

test('commands are encoded with the count of their words', () => {
  expect(encodeCommands([['HDEL', 'k', 'f'], ['only-if', 'h', 'f', '1'], []])).toEqual(
    '3 HDEL k f 4 only-if h f 1 0'.split(' '),
  );
});
