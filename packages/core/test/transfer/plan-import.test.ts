import type { EventRecord } from '@carillon/contract';
import {
  type Change,
  ClusterState,
  exportLines,
  ImportData,
  type ImportOptions,
  planImport,
  type PresentLine,
  refuseObstacles,
  setupRecords,
} from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import { aGroup, anEvent, apply, aPlugin, aState } from '../support/builders.js';

const nowMs = 1_700_000_070_000;
const minute = 1_700_000_040;
const options: ImportOptions = { existing: 'refuse', paused: false, catchUp: true, partial: false };

const dataOf = (...lines: PresentLine[]): ImportData => {
  const data = new ImportData();
  for (const line of lines) data.add(line);
  return data;
};
const records = (table: 'events', ...list: EventRecord[]): PresentLine[] =>
  list.map((record) => ({ type: 'record', table, record }));
const key = (id: string, hash: string, more: Record<string, unknown> = {}) => ({
  id,
  title: id,
  key_hash: hash.repeat(64),
  active: 1 as const,
  privileges: { admin: 1 },
  created: 1,
  modified: 1,
  ...more,
});
const adminKey: Change = { type: 'put', table: 'api_keys', seq: 1, record: key('kown', 'a') };

const plan = (data: ImportData, state: ClusterState, more: Partial<ImportOptions> = {}) =>
  planImport(
    data,
    { ...options, ...more },
    { state, nowMs, defaultTimezone: 'Europe/Paris', hostnames: ['web1'] },
  );
/** Plans, applies, and answers the state. */
const carriedOut = (data: ImportData, state: ClusterState, more: Partial<ImportOptions> = {}) => {
  const { changes, obstacles } = plan(data, state, more);
  expect(obstacles).toEqual([]);
  apply(state, changes);
  return state;
};
const cluster = (events: EventRecord[] = [], more: Change[] = []) =>
  aState(events, [adminKey, { type: 'tick', minute }, ...more]);
const ids = (state: ClusterState) => [...state.events.newestFirst()].map(({ id }) => id);

describe('records', () => {
  test('keep their order and stand in front of those that were there', () => {
    const state = cluster([anEvent({ id: 'old' })]);
    const lines = records('events', anEvent({ id: 'b' }), anEvent({ id: 'a' }), anEvent({ id: 'c' }));
    expect(ids(carriedOut(dataOf(...lines), state))).toEqual(['b', 'a', 'c', 'old']);
  });

  test('without a time zone get that of the cluster', () => {
    const state = carriedOut(dataOf(...records('events', anEvent({ id: 'a', timezone: '' }))), cluster());
    expect(state.events.get('a')?.timezone).toBe('Europe/Paris');
  });

  const other = anEvent({ id: 'a', title: 'Other', catch_up: 1 });
  test.each([
    ['refuse', { added: 0, replaced: 1, same: 0, kept: 0 }, 'Mine', 1],
    ['keep', { added: 0, replaced: 0, same: 0, kept: 1 }, 'Mine', 0],
    ['replace', { added: 0, replaced: 1, same: 0, kept: 0 }, 'Other', 0],
  ] as const)('that collide: %s', (existing, counts, title, obstacles) => {
    const state = cluster([anEvent({ id: 'a', title: 'Mine' })]);
    const planned = plan(dataOf(...records('events', other)), state, { existing });
    expect(planned.tables.events).toEqual(counts);
    expect(planned.obstacles).toHaveLength(obstacles);
    if (obstacles > 0)
      expect(() => refuseObstacles(planned)).toThrow(/events a \(Other\): the cluster has another one/);
    else {
      apply(state, planned.changes);
      expect(state.events.get('a')?.title).toBe(title);
    }
  });

  test('the same again changes nothing but the order, and no cursor', () => {
    const state = cluster();
    const event = anEvent({ id: 'a', catch_up: 1 });
    const lines: PresentLine[] = [...records('events', event), { type: 'cursor', event: 'a', minute: 60 }];
    carriedOut(dataOf(...lines), state);
    apply(state, [{ type: 'cursor', event: 'a', minute: 120 }]);
    const again = plan(dataOf(...lines), state);
    expect(again.tables.events).toEqual({ added: 0, replaced: 0, same: 1, kept: 0 });
    apply(state, again.changes);
    expect(state.cursors.get('a')).toBe(120);
  });

  test('an event without its plugin or category is in the way, or left out', () => {
    const lines = records('events', anEvent({ id: 'a', plugin: 'gone' }), anEvent({ id: 'b' }));
    const state = cluster();
    expect(plan(dataOf(...lines), state).obstacles).toEqual(['event a (Nightly): no plugin gone']);
    const partial = plan(dataOf(...lines), state, { partial: true });
    expect(partial).toMatchObject({ obstacles: [], warnings: ['event a (Nightly): no plugin gone'] });
    apply(state, partial.changes);
    expect(ids(state)).toEqual(['b']);
  });

  test('twice the same id or key is refused', () => {
    const data = dataOf(...records('events', anEvent()));
    expect(() => data.add({ type: 'record', table: 'events', record: anEvent() })).toThrow(/twice/);
    const keys = dataOf(
      { type: 'record', table: 'api_keys', record: key('k1', 'b') },
      { type: 'record', table: 'api_keys', record: key('k2', 'b') },
    );
    expect(plan(keys, cluster()).obstacles).toEqual(['api_keys k2: it is the same key as k1']);
  });

  test('targets, chains and groups that lead nowhere are told', () => {
    const data = dataOf(
      { type: 'record', table: 'server_groups', record: aGroup({ id: 'db', regexp: '^db' }) },
      ...records(
        'events',
        anEvent({ id: 'a', target: 'db' }),
        anEvent({ id: 'b', target: 'WEB1' }),
        anEvent({ id: 'c', target: 'elsewhere', chain: 'nobody', chain_error: 'a' }),
      ),
    );
    expect(plan(data, cluster()).warnings).toEqual([
      'event c (Nightly): its target elsewhere is no group and no known server',
      'event c (Nightly): chain names the event nobody, which does not exist',
      'server group db: no known server matches ^db',
    ]);
  });
});

describe('keys', () => {
  test('one that both have takes the place of its twin', () => {
    const state = carriedOut(
      dataOf({ type: 'record', table: 'api_keys', record: key('k1', 'a') }),
      cluster(),
    );
    expect([...state.api_keys.newestFirst()].map(({ id }) => id)).toEqual(['k1']);
    expect(state.keyByHash('a'.repeat(64))?.id).toBe('k1');
  });

  test('with other rights it is in the way', () => {
    const weak = key('k1', 'a', { privileges: { run_events: 1 } });
    const data = dataOf({ type: 'record', table: 'api_keys', record: weak });
    expect(plan(data, cluster()).obstacles).toContainEqual(expect.stringMatching(/same key as kown/));
    expect(plan(data, cluster(), { existing: 'replace' }).obstacles).toEqual([
      'No active key of an administrator would be left',
    ]);
  });

  test('users that are replaced have to log in again', () => {
    const user = (password: string) => ({
      id: 'bob',
      username: 'bob',
      full_name: 'Bob',
      email: '',
      active: 1 as const,
      privileges: {},
      password,
      salt: '',
      created: 1,
      modified: 1,
    });
    const session = { id: 's1', user: 'bob', username: 'bob', ip: '', useragent: '', created: 1, expires: 2 };
    const state = cluster(
      [],
      [
        { type: 'put', table: 'users', seq: 1, record: user('old') },
        { type: 'put', table: 'sessions', seq: 1, record: session },
      ],
    );
    const data = dataOf({ type: 'record', table: 'users', record: user('new') });
    expect(carriedOut(data, state, { existing: 'replace' }).sessions.size).toBe(0);
  });
});

describe('a new cluster', () => {
  const fresh = () => {
    const state = new ClusterState();
    apply(state, [...setupRecords({ hostname: 'new.example.com', nowSec: 5 }), adminKey]);
    return state;
  };

  test('has nothing in the way, and what the import does not know goes', () => {
    const data = dataOf(
      { type: 'state', tables: ['plugins', 'server_groups'] },
      { type: 'record', table: 'plugins', record: aPlugin({ command: '/own' }) },
      { type: 'record', table: 'server_groups', record: aGroup({ id: 'maingrp', regexp: '^(old)$' }) },
    );
    const state = carriedOut(data, fresh());
    expect([...state.plugins.newestFirst()].map(({ id }) => id)).toEqual(['shellplug']);
    expect([...state.server_groups.newestFirst()].map(({ regexp }) => regexp)).toEqual(['^(old)$']);
    // Not part of this import.
    expect(state.categories.get('general')).toBeDefined();
  });

  test('what somebody has changed or uses stays', () => {
    const state = fresh();
    const plugin = state.plugins.get('urlplug');
    if (plugin === undefined) throw new Error('no plugin');
    apply(state, [
      { type: 'put', table: 'plugins', seq: 1, record: { ...plugin, title: 'Mine' } },
      { type: 'put', table: 'events', seq: 1, record: anEvent({ plugin: 'testplug', target: 'allgrp' }) },
    ]);
    carriedOut(dataOf({ type: 'state', tables: ['plugins', 'server_groups'] }), state);
    expect([...state.plugins.newestFirst()].map(({ id }) => id).sort()).toEqual(['testplug', 'urlplug']);
    expect([...state.server_groups.newestFirst()].map(({ id }) => id)).toEqual(['allgrp']);
  });

  test('is afterwards like the one that was exported', () => {
    const source = cluster(
      [anEvent({ id: 'a', catch_up: 1 }), anEvent({ id: 'b' })],
      [
        { type: 'cursor', event: 'a', minute: 1_699_999_980 },
        { type: 'redo', event: 'a', minutes: [60] },
        { type: 'robin', event: 'b', index: 3 },
        { type: 'count', day: '2026-01-01', counter: 'jobs_failed', by: 2 },
      ],
    );
    const lines = exportLines(source).map((line) => JSON.parse(line) as PresentLine);
    const copy = carriedOut(dataOf(...lines), fresh());
    for (const table of ['categories', 'plugins', 'server_groups', 'api_keys', 'events'] as const) {
      expect([...copy[table].newestFirst()]).toEqual([...source[table].newestFirst()]);
    }
    expect([copy.cursors.get('a'), copy.redos.get('a'), copy.robins.get('b')]).toEqual([
      1_699_999_980,
      [60],
      3,
    ]);
    expect(copy.stats).toEqual(source.stats);
  });
});

describe('where events go on', () => {
  const lines: PresentLine[] = [
    { type: 'state', tables: [], tick_minute: minute - 3_600 },
    ...records(
      'events',
      anEvent({ id: 'cu', catch_up: 1 }),
      anEvent({ id: 'own', catch_up: 1 }),
      anEvent({ id: 'n' }),
    ),
    { type: 'cursor', event: 'own', minute: minute - 7_200 },
    { type: 'cursor', event: 'n', minute: minute - 7_200 },
  ];
  const current = 1_700_000_040;

  test.each([
    ['where the export left them', {}, { own: minute - 7_200, cu: minute - 3_600 }],
    ['from now', { catchUp: false }, {}],
    [
      'from now, when the scheduler is to wait',
      { catchUp: false, paused: true },
      { own: current, cu: current },
    ],
  ])('%s', (_name, wishes, expected) => {
    const state = carriedOut(dataOf(...lines), cluster(), wishes);
    expect(Object.fromEntries(state.cursors)).toEqual(expected);
  });

  test('never in the future', () => {
    const state = carriedOut(
      dataOf(...records('events', anEvent({ id: 'a', catch_up: 1 })), {
        type: 'cursor',
        event: 'a',
        minute: minute + 6_000,
      }),
      cluster(),
    );
    expect(state.cursors.get('a')).toBe(current);
  });

  test.each([
    [{ paused: true }, undefined],
    [{}, 0 as const],
  ])('the scheduler is switched off by wish or as in the export: %j %j', (wishes, enabled) => {
    const data = dataOf({ type: 'state', tables: [], ...(enabled === undefined ? {} : { enabled }) });
    expect(carriedOut(data, cluster(), wishes).enabled).toBe(0);
  });
});
