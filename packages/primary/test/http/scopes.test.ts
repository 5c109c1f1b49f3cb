import { afterEach, describe, expect, test } from '@jest/globals';
import { stopAll, TestApi } from '../support/api-server.js';
import { referenceOffice } from '../support/reference-state.js';

afterEach(stopAll);

const key = 'limitedkey';
const all = { create_events: 1, edit_events: 1, delete_events: 1, run_events: 1, abort_events: 1 };

async function start(privileges: Record<string, unknown>) {
  const office = referenceOffice();
  office.addKey('limited', key, { ...all, ...privileges });
  const api = await TestApi.start({ office });
  return { office, api };
}

const refusal = (scope: string) => ({
  code: 'api',
  description: `API Key ('limited') does not have the required privileges to perform this action (${scope}).`,
});

describe('category limits (behaviour reference 2.5)', () => {
  const limits = { cat_limit: 1, cat_43f8c57e: 1 };

  test('the schedule is filtered before it is paged', async () => {
    const { api } = await start(limits);
    expect(await api.get('get_schedule', '', { key })).toMatchObject({
      rows: [{ id: '3c182051' }],
      list: { length: 1 },
    });
    expect(await api.get('get_schedule', 'offset=1', { key })).toMatchObject({
      rows: [],
      list: { length: 1 },
    });
  });

  test.each([
    ['get_event', { id: '29bf12db' }],
    ['update_event', { id: '29bf12db', enabled: 0 }],
    ['delete_event', { id: '29bf12db' }],
    ['run_event', { id: '29bf12db' }],
    ['get_event_history', { id: '29bf12db' }],
    ['create_event', { title: 'X', enabled: 1, category: 'general', plugin: 'shellplug', target: 'allgrp' }],
    ['update_event', { id: '3c182051', category: 'general' }],
    ['run_event', { id: '3c182051', category: 'general' }],
  ])('%s %j is refused', async (name, params) => {
    const { api, office } = await start(limits);
    expect(await api.call(name, params, { key })).toEqual(refusal('cat_general'));
    expect(office.launches).toEqual([]);
  });

  test('jobs of other categories are neither shown nor touched', async () => {
    const { api, office } = await start(limits);
    const jobOf = async (id: string) => {
      const { ids } = await api.call('run_event', { id });
      return String(Array.isArray(ids) ? ids[0] : '');
    };
    const [own, other] = [await jobOf('3c182051'), await jobOf('29bf12db')];
    const { jobs } = await api.get('get_active_jobs', '', { key });
    expect(Object.keys(Object(jobs))).toEqual([own]);
    for (const name of ['get_job_status', 'update_job', 'abort_job']) {
      expect(await api.call(name, { id: other }, { key })).toEqual(refusal('cat_general'));
      expect(await api.call(name, { id: own }, { key })).toMatchObject({ code: 0 });
    }
    for (const [name, more] of [
      ['abort_jobs', {}],
      ['update_jobs', { updates: {} }],
    ] as const) {
      // One match beyond the limits refuses the whole call.
      expect(await api.call(name, more, { key })).toEqual(refusal('cat_general'));
      expect(await api.call(name, { ...more, category: '43f8c57e' }, { key })).toEqual({ code: 0, count: 1 });
    }
    expect(await api.get('get_job_log', `id=${other}`, { key })).toEqual(refusal('cat_general'));
    office.finish(own);
    office.finish(other);
    expect(await api.get('get_job_log', `id=${other}`, { key })).toEqual(refusal('cat_general'));
    expect(await api.get('get_history', '', { key })).toMatchObject({
      rows: [{ id: own }],
      list: { length: 1 },
    });
    expect(await api.get('get_history')).toMatchObject({ list: { length: 2 } });
  });

  test('all rows count for the length of a filtered history', async () => {
    const { api, office } = await start(limits);
    const event = office.addEvent({ id: 'many', category: '43f8c57e' });
    const { ids } = await api.call('run_event', { id: event });
    office.finish(String(Array.isArray(ids) ? ids[0] : ''));
    const row = office.rows[0];
    if (row === undefined) throw new Error('No row');
    for (let n = 0; n < 2500; n += 1) {
      office.rows.push({ ...row, id: `row${n}`, category: n % 5 === 0 ? '43f8c57e' : 'general' });
    }
    const answer = await api.get('get_history', 'offset=499&limit=10', { key });
    expect(answer).toMatchObject({ rows: [{ id: 'row2490' }, { id: 'row2495' }], list: { length: 501 } });
  });
});

describe('group limits', () => {
  const limits = { grp_limit: 1, grp_web: 1 };

  test('an event is visible by its group, or by a group its host is in', async () => {
    const { api, office } = await start(limits);
    office.apply([
      {
        type: 'put',
        table: 'server_groups',
        seq: 9,
        record: { id: 'web', title: 'Web', regexp: '^db1\\.int', master: 0 },
      },
    ]);
    office.addEvent({ id: 'bygroup', target: 'web' });
    office.addEvent({ id: 'byhost', target: 'db1.int.myserver.com' });
    office.addEvent({ id: 'neither', target: 'primary.test' });
    const { rows } = await api.get('get_schedule', '', { key });
    expect(rows).toMatchObject([{ id: 'byhost' }, { id: 'bygroup' }]);
    expect(await api.call('run_event', { id: 'bygroup', target: 'allgrp' }, { key })).toEqual(
      refusal('grp_allgrp'),
    );
  });
});

describe('single privileges', () => {
  test('abort_jobs needs abort_events', async () => {
    const { api } = await start({ abort_events: 0 });
    expect(await api.call('update_event', { id: '3c182051', enabled: 0, abort_jobs: 1 }, { key })).toEqual(
      refusal('abort_events'),
    );
    expect(await api.call('update_event', { id: '3c182051', enabled: 0 }, { key })).toEqual({ code: 0 });
  });

  test('job_read_only drops all overrides', async () => {
    const { api, office } = await start({ job_read_only: 1 });
    await api.call('run_event', { id: '3c182051', timeout: 5, now: 1, params: { cust: 'X' } }, { key });
    expect(office.launches).toMatchObject([{ overrides: {}, now: 1_700_000_000 }]);
  });

  test('privileges of the prototype are none', async () => {
    const { api, office } = await start({});
    office.addKey('plain', 'plainkey', {});
    expect(await api.call('run_event', { id: '3c182051' }, { key: 'plainkey' })).toMatchObject({
      code: 'api',
    });
  });
});
