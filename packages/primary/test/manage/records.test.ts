import { afterEach, describe, expect, test } from '@jest/globals';
import { apiCalls, CarillonError, findCall } from '@carillon/contract';
import { stopAll, TestApi } from '../support/api-server.js';
import { adminKey, sha256 } from '../support/fake-office.js';
import { referenceOffice } from '../support/reference-state.js';

afterEach(stopAll);

const plainKey = 'plainkey';

async function start() {
  const office = referenceOffice();
  office.addKey('plain', plainKey, { create_events: 1, edit_events: 1, cat_limit: 1, cat_general: 1 });
  return { office, api: await TestApi.start({ office }) };
}

const idsOf = (answer: Record<string, unknown>): unknown[] =>
  Array.isArray(answer['rows']) ? answer['rows'].map((row) => Object(row).id) : [];

const kinds = [
  {
    noun: 'category',
    list: 'get_categories',
    call: 'category',
    required: { title: 'New', max_children: 3 },
    change: { max_children: 5 },
    action: 'cat',
    item: 'cat',
  },
  {
    noun: 'plugin',
    list: 'get_plugins',
    call: 'plugin',
    required: { title: 'New', command: '/opt/new.py', params: [] },
    change: { command: '/opt/newer.py' },
    action: 'plugin',
    item: 'plugin',
  },
  {
    noun: 'server group',
    list: 'get_server_groups',
    call: 'server_group',
    required: { title: 'New', regexp: '^new' },
    change: { regexp: '^newer' },
    action: 'group',
    item: 'group',
  },
];

describe.each(kinds)('$noun', ({ list, call, required, change, action, item }) => {
  test('keeps the label of what manages it until that is changed', async () => {
    const { api } = await start();
    await api.call(`create_${call}`, { ...required, id: 'mine', managed_by: 'team' });
    await api.call(`update_${call}`, { id: 'mine', ...change });
    expect(await api.get(list, 'limit=1')).toMatchObject({ rows: [{ ...change, managed_by: 'team' }] });
    await api.call(`update_${call}`, { id: 'mine', managed_by: '' });
    expect(await api.get(list, 'limit=1')).toMatchObject({ rows: [{ managed_by: '' }] });
    expect(await api.call(`update_${call}`, { id: 'mine', managed_by: 'a b' })).toMatchObject({
      code: 'api',
      description: 'Malformed parameter value: managed_by',
    });
  });

  test('is created, listed, changed and deleted, and each of it is noted', async () => {
    const { api, office } = await start();
    expect(await api.call(`create_${call}`, { ...required, id: 'mine' })).toEqual({ code: 0, id: 'mine' });
    const listed = await api.get(list);
    expect(listed).toMatchObject({ code: 0, rows: expect.any(Array), list: { type: 'list' } });
    // Newest first.
    expect(idsOf(listed)[0]).toBe('mine');
    expect(await api.call(`update_${call}`, { id: 'mine', ...change })).toEqual({ code: 0 });
    expect(await api.get(list, 'limit=1')).toMatchObject({ rows: [{ ...required, ...change, id: 'mine' }] });
    expect(await api.call(`delete_${call}`, { id: 'mine' })).toEqual({ code: 0 });
    expect(idsOf(await api.get(list))).not.toContain('mine');
    const who = { api_key: 'kadmin', api_title: 'admin' };
    expect(office.activities).toMatchObject([
      { action: `${action}_delete`, [item]: { id: 'mine' }, ...who },
      { action: `${action}_update`, [item]: { id: 'mine', ...change }, ...who },
      { action: `${action}_create`, [item]: { id: 'mine', ...required }, ...who },
    ]);
  });

  test('gets an id, and keeps a taken one', async () => {
    const { api } = await start();
    const { id } = await api.call(`create_${call}`, required);
    expect(id).toMatch(/^\w+$/);
    const again = await api.call(`create_${call}`, { ...required, id });
    expect(again['description']).toContain(`ID already exists: ${String(id)}`);
  });

  test('the list is paged; without a limit it is whole', async () => {
    const { api } = await start();
    for (let n = 0; n < 60; n += 1) await api.call(`create_${call}`, { ...required, id: `n${n}` });
    const all = await api.get(list);
    expect(idsOf(all).length).toBeGreaterThan(60);
    expect(idsOf(await api.get(list, 'limit=0'))).toEqual(idsOf(all));
    expect(idsOf(await api.get(list, 'offset=1&limit=2'))).toEqual(['n58', 'n57']);
    expect(await api.get(list, 'offset=1000')).toMatchObject({
      rows: [],
      list: { length: idsOf(all).length },
    });
  });
});

test('what is in use is not deleted', async () => {
  const { api, office } = await start();
  office.addEvent({ id: 'user1', category: 'general', plugin: 'shellplug', target: 'allgrp' });
  const answers = [
    await api.call('delete_category', { id: 'general' }),
    await api.call('delete_plugin', { id: 'shellplug' }),
    await api.call('delete_server_group', { id: 'allgrp' }),
  ];
  expect(answers).toEqual([
    { code: 'plugin', description: 'Failed to delete category: Still in use by one or more events.' },
    { code: 'plugin', description: 'Failed to delete plugin: Still assigned to one or more events.' },
    { code: 'plugin', description: 'Failed to delete server group: Still targeted by one or more events.' },
  ]);
  expect(office.activities).toEqual([]);
});

describe('switching', () => {
  test.each([
    ['update_category', { category: 'ad8190ff' }, "Category 'Backups' has been disabled."],
    ['update_plugin', { plugin: 'test' }, "Plugin 'Test Plugin' has been disabled."],
  ])('%s with abort_jobs aborts its jobs, but no detached ones', async (call, own, reason) => {
    const { api, office } = await start();
    const id = Object.values(own)[0];
    office.addEvent({ id: 'mine', ...own });
    office.addEvent({ id: 'loose', ...own, detached: 1 });
    office.addEvent({ id: 'other' });
    const jobs = [];
    for (const event of ['mine', 'loose', 'other']) {
      jobs.push(Object((await api.call('run_event', { id: event }))['ids'])[0]);
    }
    expect(await api.call(call, { id, enabled: 0 })).toEqual({ code: 0 });
    expect(office.aborts).toEqual([]);
    expect(await api.call(call, { id, enabled: 1, abort_jobs: 1 })).toEqual({ code: 0 });
    expect(office.aborts).toEqual([]);
    expect(await api.call(call, { id, enabled: false, abort_jobs: true })).toEqual({ code: 0 });
    expect(office.aborts).toEqual([`${jobs[0]}: ${reason}`]);
    // Control keys are not stored.
    expect(JSON.stringify([...office.state.categories.newestFirst()])).not.toContain('abort_jobs');
  });

  test('enabling lets events catch up and queues go on; so does a raised limit', async () => {
    const { api, office } = await start();
    office.addEvent({ id: 'behind', category: 'ad8190ff', catch_up: 1 });
    office.addEvent({ id: 'normal', category: 'ad8190ff' });
    office.addEvent({ id: 'off', category: 'ad8190ff', catch_up: 1, enabled: 0 });
    office.addEvent({ id: 'elsewhere', catch_up: 1 });
    await api.call('update_category', { id: 'ad8190ff', enabled: 0 });
    expect(office.effects).toEqual([]);
    await api.call('update_category', { id: 'ad8190ff', enabled: 1 });
    expect(office.effects).toEqual(['room', 'catch up behind']);
    await api.call('update_category', { id: 'ad8190ff', max_children: 7 });
    expect(office.effects).toEqual(['room', 'catch up behind', 'room']);
  });
});

describe('plugins', () => {
  test('hidden values and the environment are for administrators', async () => {
    const { api } = await start();
    const params = [{ id: 'token', type: 'hidden', value: 's3cret' }];
    await api.call('create_plugin', { id: 'p', title: 'P', command: 'x', params, env: { A: 'b' } });
    expect(await api.get('get_plugins', 'limit=1')).toMatchObject({ rows: [{ params, env: { A: 'b' } }] });
    const { rows } = await api.get('get_plugins', '', { key: plainKey });
    expect(rows).toMatchObject([
      { id: 'p', command: 'x', params: [{ id: 'token', value: '' }] },
      {},
      {},
      {},
      {},
    ]);
    expect(JSON.stringify(rows)).not.toContain('s3cret');
    expect(JSON.stringify(rows)).not.toContain('"env"');
  });

  test('warnings about parameters are answered', async () => {
    const { api } = await start();
    const params = [{ id: 'path', type: 'text', title: 'Path', value: '' }];
    const warnings = [expect.stringContaining('replaces PATH')];
    const plugin = { id: 'p', title: 'P', command: 'x', params };
    expect(await api.call('create_plugin', plugin)).toEqual({ code: 0, id: 'p', warnings });
    expect(await api.call('update_plugin', { id: 'p', params })).toEqual({ code: 0, warnings });
    expect(await api.call('update_plugin', { id: 'p', title: 'Q' })).toEqual({ code: 0 });
  });
});

describe('API keys', () => {
  test('a generated key is answered once, works, and is kept as a digest only', async () => {
    const { api, office } = await start();
    const { id, key, code } = await api.call('create_api_key', {
      title: 'CI',
      privileges: { run_events: 1 },
    });
    expect({ code, id, key }).toEqual({ code: 0, id: expect.stringMatching(/^k/), key: expect.any(String) });
    expect(key).toMatch(/^[0-9a-f]{32}$/);
    expect(await api.get('get_schedule', '', { key: String(key) })).toMatchObject({ code: 0 });
    expect(office.state.api_keys.get(String(id))?.key_hash).toBe(sha256(String(key)));
    const seen = [
      await api.get('get_api_keys'),
      await api.call('get_api_key', { id }),
      office.activities,
      await api.call('update_api_key', { id, key: 'another1', title: 'CI 2' }),
      office.activities,
    ];
    for (const secret of [String(key), sha256(String(key)), 'another1', sha256('another1'), adminKey]) {
      expect(JSON.stringify(seen)).not.toContain(secret);
    }
    expect(await api.get('get_schedule', '', { key: String(key) })).toMatchObject({ code: 'api' });
    expect(await api.get('get_schedule', '', { key: 'another1' })).toMatchObject({ code: 0 });
    expect(office.activities).toMatchObject([
      { action: 'apikey_update', api_key: { id, title: 'CI 2', key_changed: 1 }, changed_by: 'kadmin' },
      { action: 'apikey_create', api_key: { id, title: 'CI' }, changed_by: 'kadmin' },
    ]);
  });

  test('a given key is taken; disabling and deleting count from the next call on', async () => {
    const { api } = await start();
    const { id, key } = await api.call('create_api_key', { title: 'CI', key: 'given_Key1', active: 1 });
    expect(key).toBe('given_Key1');
    expect(await api.call('create_api_key', { title: 'Again', key: 'given_Key1' })).toMatchObject({
      code: 'api_key',
    });
    await api.call('update_api_key', { id, active: 0 });
    expect(await api.get('get_schedule', '', { key: 'given_Key1' })).toEqual({
      code: 'api',
      description: 'API Key is disabled: CI',
    });
    expect(await api.call('delete_api_key', { id })).toEqual({ code: 0 });
    expect(await api.get('get_schedule', '', { key: 'given_Key1' })).toMatchObject({ code: 'api' });
    expect(await api.call('get_api_key', { id })).toEqual({
      code: 'api_key',
      description: `Failed to locate API Key: ${String(id)}`,
    });
  });

  test('the last administrator is kept', async () => {
    const { api } = await start();
    const answer = await api.call('delete_api_key', { id: 'kadmin' });
    expect(answer).toMatchObject({ code: 'api_key', description: expect.stringContaining('last active') });
    expect(await api.call('update_api_key', { id: 'kadmin', active: 0 })).toMatchObject({ code: 'api_key' });
    expect(await api.get('get_api_keys')).toMatchObject({ rows: [{ id: 'kplain' }, { id: 'kadmin' }] });
  });
});

describe('who may', () => {
  const admins = Object.keys(apiCalls).filter((name) => findCall(name)?.auth === 'admin');

  test.each(admins)('%s is for administrators', async (name) => {
    const { api, office } = await start();
    const body = sample(name);
    expect(await api.call(name, body, { key: plainKey })).toEqual({
      code: 'user',
      description: 'User is not an administrator: plain',
    });
    expect(await api.call(name, body, { key: null })).toMatchObject({ code: 'session' });
    expect(office.activities).toEqual([]);
  });

  test.each(['get_categories', 'get_plugins', 'get_server_groups'])('%s is for every key', async (name) => {
    const { api } = await start();
    expect(await api.get(name, '', { key: plainKey })).toMatchObject({ code: 0 });
    expect(await api.get(name, '', { key: null })).toMatchObject({ code: 'session' });
  });

  /** Parameters that pass the checks, which come before the privilege. */
  function sample(name: string): Record<string, unknown> {
    const call = findCall(name);
    const values: Record<string, unknown> = {
      id: 'x',
      title: 'T',
      max_children: 1,
      command: 'c',
      regexp: 'r',
      password: 'geheim12',
      part: 0,
      parts: 0,
      lines: [],
    };
    const required: readonly string[] = call?.params.required ?? [];
    return Object.fromEntries(required.map((field) => [field, values[field] ?? 'x']));
  }
});

test('a write that fails is told as such', async () => {
  const { api, office } = await start();
  office.storeFault = new CarillonError('unavailable', 'Not confirmed');
  const answer = await api.post('create_category', JSON.stringify({ title: 'T', max_children: 0 }));
  expect(answer.status).toBe(503);
  expect(answer.headers['retry-after']).toBe('1');
});
