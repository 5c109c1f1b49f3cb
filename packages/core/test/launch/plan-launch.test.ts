import { describe, expect, test } from '@jest/globals';
import { type ActiveJob, type Change, launchChanges, planLaunch } from '@carillon/core';
import { aCategory, aGroup, aJob, aMember, anEvent, apply, aPlugin, aState } from '../support/builders.js';
import { jobsOf, nowMs, plan, put, type Setting, snapshotOf } from '../support/launching.js';

describe('which server (behaviour reference 5.1)', () => {
  const nodesOf = (setting: Setting): string[] => jobsOf(plan(setting)).map((job) => job.node);
  const all = { multiplex: 1 } as const;

  test('a host name, whatever its case, goes before a group id', () => {
    const group: Change = { type: 'put', table: 'server_groups', seq: 9, record: aGroup({ id: 'web2' }) };
    expect(nodesOf({ event: { target: 'WEB2', ...all }, changes: [group] })).toEqual(['web2']);
    expect(nodesOf({ event: { target: 'web2', ...all }, changes: [group] })).toEqual(['web2']);
  });
  test('a group has members by regular expression and by declaration, in name order', () => {
    const members = [
      aMember('n9', { hostname: 'web9' }),
      aMember('n1', { hostname: 'db1', groups: ['web'] }),
      aMember('n2', { hostname: 'db2' }),
      aMember('n0', { hostname: 'web9' }),
    ];
    expect(nodesOf({ event: all, members })).toEqual(['n1', 'n0', 'n9']);
  });
  test('a group without a record has the members that declare it', () => {
    const members = [
      aMember('n2', { hostname: 'b', groups: ['gpu'] }),
      aMember('n1', { hostname: 'a', groups: ['db', 'gpu'] }),
      aMember('n3', { hostname: 'gpu3' }),
    ];
    const [first, second, ...others] = jobsOf(plan({ event: { target: 'gpu', ...all }, members }));
    expect(others).toEqual([]);
    expect(first).toMatchObject({ node: 'n1', fields: { nice_target: 'gpu', target: 'gpu' } });
    expect(second).toMatchObject({ node: 'n2' });
  });
  test('only available members with a free slot', () => {
    const members = [
      aMember('web1', { available: false }),
      aMember('web2', { slots: 1 }),
      aMember('web3', { slots: 2 }),
    ];
    const changes = [
      put(aJob('j1', { event: 'x' }, { node: 'web2' })),
      put(aJob('j2', { event: 'x' }, { node: 'web3' })),
    ];
    expect(nodesOf({ event: all, members, changes })).toEqual(['web3']);
  });
  test('a broken group expression matches nobody and breaks nothing', () => {
    const group: Change = { type: 'put', table: 'server_groups', seq: 1, record: aGroup({ regexp: '(' }) };
    expect(plan({ changes: [group] })).toMatchObject({ kind: 'refuse', cause: 'no-server' });
  });
});

describe('refusals, in order and in words (behaviour reference 5.2)', () => {
  const running = [put(aJob('j1')), put(aJob('j2', {}, { state: 'waiting' }))];
  const off: Change = {
    type: 'put',
    table: 'categories',
    seq: 1,
    record: aCategory({ enabled: 0, max_children: 2 }),
  };
  const offPlugin: Change = { type: 'put', table: 'plugins', seq: 1, record: aPlugin({ enabled: 0 }) };
  const full = [aMember('web1', { slots: 2 })];

  test.each<[string, Setting, string, string]>([
    ['event', { request: { event: 'e9' } }, 'Event not found: e9', 'missing'],
    [
      'target',
      { event: { target: 'nowhere', plugin: 'p9' } },
      'Server or Server Group not found: nowhere',
      'target',
    ],
    [
      'prototype',
      { event: { target: 'constructor' } },
      'Server or Server Group not found: constructor',
      'target',
    ],
    ['plugin', { event: { plugin: 'p9', category: 'c9' } }, 'Plugin not found: p9', 'missing'],
    ['category', { event: { category: 'c9' } }, 'Category not found: c9', 'missing'],
    [
      'event maximum',
      { event: { max_children: 2 }, changes: running },
      'Maximum of 2 jobs already running for event: Nightly',
      'busy',
    ],
    [
      'event maximum of one',
      { event: { max_children: 1 }, changes: running },
      'Maximum of 1 job already running for event: Nightly',
      'busy',
    ],
    [
      'category maximum',
      { changes: [...running, off] },
      'Maximum of 2 jobs already running for category: General',
      'busy',
    ],
    ['global maximum', { maxJobs: 1, changes: running }, 'Global maximum of 1 job already running.', 'busy'],
    ['category off', { changes: [off, offPlugin] }, "Category 'General' is disabled.", 'disabled'],
    ['plugin off', { changes: [offPlugin], members: [] }, "Plugin 'Shell Script' is disabled.", 'disabled'],
    ['no member', { members: [] }, 'Could not find any servers for group: Web Servers', 'no-server'],
    [
      'no available member',
      { members: [aMember('web1', { available: false })] },
      'Could not find any servers for group: Web Servers',
      'no-server',
    ],
    [
      'server away',
      { event: { target: 'web1' }, members: [aMember('web1', { available: false })] },
      'Server is not available: web1',
      'no-server',
    ],
    [
      'full group',
      { members: full, changes: running },
      'Maximum number of jobs already running on all servers of group: Web Servers',
      'busy',
    ],
    [
      'full server',
      { event: { target: 'web1' }, members: full, changes: running },
      'Maximum number of jobs already running on server: web1',
      'busy',
    ],
  ])('%s', (_name, setting, reason, cause) => {
    expect(plan(setting)).toEqual({ kind: 'refuse', reason, cause });
    expect(launchChanges('e1', plan(setting))).toEqual([]);
  });

  test('a server that is known but has not said hello since the failover is unavailable, not unknown; so is its group', () => {
    const server = {
      id: 'n1',
      hostname: 'db1',
      ip: '',
      groups: ['gpu'],
      master: 0 as const,
      slots: 0,
      created: 1,
    };
    const changes: Change[] = [{ type: 'put', table: 'servers', seq: 1, record: server }];
    expect(plan({ event: { target: 'DB1' }, changes })).toMatchObject({ cause: 'no-server' });
    expect(plan({ event: { target: 'gpu' }, changes })).toMatchObject({ cause: 'no-server' });
  });

  test.each<[ActiveJob['state'], boolean]>([
    ['queued', false],
    ['waiting', true],
    ['dispatched', true],
    ['running', true],
    ['silent', true],
    ['settled', true],
  ])('a job that is %s counts: %s', (state, counts) => {
    const changes = [put(aJob('j1', {}, { state }))];
    expect(plan({ event: { max_children: 1 }, changes }).kind).toBe(counts ? 'refuse' : 'launch');
  });

  test('max_children of the request holds for this launch', () => {
    const changes = [put(aJob('j1'))];
    const event = { max_children: 1 };
    expect(plan({ event, changes, request: { overrides: { max_children: 2 } } }).kind).toBe('launch');
    expect(plan({ changes, request: { overrides: { max_children: 1 } } }).kind).toBe('refuse');
  });

  test('a disabled event can be launched by hand', () => {
    expect(plan({ event: { enabled: 0 } }).kind).toBe('launch');
  });
});

describe('multiplex and stagger (behaviour reference 5.4)', () => {
  test('one job per server, each later than the last', () => {
    const result = plan({ event: { multiplex: 1, stagger: 30, algo: 'round_robin' } });
    const jobs = jobsOf(result);
    expect(jobs.map((job) => [job.fields.id, job.node, job.state, job.seq, job.dueMs])).toEqual([
      ['jnew1', 'web1', 'dispatched', 100, undefined],
      ['jnew2', 'web2', 'waiting', 101, nowMs + 30_000],
      ['jnew3', 'web3', 'waiting', 102, nowMs + 60_000],
    ]);
    expect(jobs.map((job) => job.fields.time_start)).toEqual([0, 30, 60].map((late) => nowMs / 1000 + late));
    const dispatches = launchChanges('e1', result).filter((change) => change.type === 'dispatch');
    expect(dispatches).toEqual([{ type: 'dispatch', run: { job: 'jnew1', attempt: 1 }, node: 'web1' }]);
  });
  test('without stagger all start at once', () => {
    expect(jobsOf(plan({ event: { multiplex: 1 } })).map((job) => job.state)).toEqual(
      Array(3).fill('dispatched'),
    );
  });
  test('a single server is not multiplexed', () => {
    expect(jobsOf(plan({ event: { multiplex: 1, target: 'web2' } }))).toHaveLength(1);
  });
  test('algo multiplex without the flag is random', () => {
    expect(jobsOf(plan({ event: { algo: 'multiplex' } }))).toHaveLength(1);
  });
});

test('round robin goes on where the last launch stopped', () => {
  const state = aState([anEvent({ algo: 'round_robin' })]);
  const nodes = Array.from({ length: 5 }, () => {
    const result = planLaunch({ event: 'e1', overrides: {}, now: 0 }, snapshotOf(state));
    apply(state, launchChanges('e1', result));
    for (const id of [...state.jobs.keys()]) state.applyChange({ type: 'forget-job', id });
    return jobsOf(result)[0]?.node;
  });
  expect(nodes).toEqual(['web1', 'web2', 'web3', 'web1', 'web2']);
});
