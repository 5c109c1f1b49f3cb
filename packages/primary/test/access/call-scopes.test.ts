import { afterEach, describe, expect, test } from '@jest/globals';
import { type ApiCallName, apiCalls } from '@carillon/contract';
import { callScopes, type CallScope } from '@carillon/core';
import { stopAll, TestApi } from '../support/api-server.js';
import { FakeOffice } from '../support/fake-office.js';

/**
 * Every call keeps to the limits of its caller, by the class it has in `callScopes`. The tests are made from that table:
 * a call of the class `object`, `list` or `each` without a request here fails them.
 */

afterEach(stopAll);

const everything = {
  create_events: 1,
  edit_events: 1,
  delete_events: 1,
  run_events: 1,
  abort_events: 1,
  state_update: 1,
};
const limits = {
  category: { cat_limit: 1, cat_own: 1 },
  group: { grp_limit: 1, grp_owngrp: 1 },
} as const;
/** What is beyond each of the limits, and how the refusal names it. */
const beyond = {
  category: { category: 'foreign', target: 'owngrp', missing: 'cat_foreign' },
  group: { category: 'own', target: 'foreigngrp', missing: 'grp_foreigngrp' },
} as const;
type Limit = keyof typeof limits;

const credentials = ['key', 'session'] as const;

async function start(limit: Limit) {
  const office = new FakeOffice();
  const stamps = { enabled: 1, max_children: 0, created: 1, modified: 1 } as const;
  for (const [index, id] of ['own', 'foreign'].entries()) {
    const seq = 10 + index;
    office.apply([
      { type: 'put', table: 'categories', seq, record: { id, title: id, ...stamps } },
      {
        type: 'put',
        table: 'server_groups',
        seq,
        record: { id: `${id}grp`, title: id, regexp: '^primary', master: 0 },
      },
    ]);
  }
  const { category, target } = beyond[limit];
  office.addEvent({ id: 'mine', category: 'own', target: 'owngrp', timing: {} });
  office.addEvent({ id: 'theirs', category, target, timing: {} });
  const api = await TestApi.start({ office });
  const run = async (id: string) =>
    String(((await api.call('run_event', { id })) as { ids: string[] }).ids[0]);
  const jobs = { mine: await run('mine'), theirs: await run('theirs') };
  const ended = { mine: await run('mine'), theirs: await run('theirs') };
  office.finish(ended.mine);
  office.finish(ended.theirs);
  const key = 'limitedkey';
  office.addKey('limited', key, { ...everything, ...limits[limit] });
  office.addUser('Limited', { ...everything, ...limits[limit] });
  const session = office.addSession('Limited');
  const by = {
    key: { key },
    session: { key: null, headers: { 'X-Session-ID': session } },
  };
  return { office, api, jobs, ended, by };
}

type World = Awaited<ReturnType<typeof start>>;
type Params = Record<string, unknown>;

/** Requests about something beyond the limits, all of which are refused. */
const refusedRequests: Partial<Record<ApiCallName, (world: World, limit: Limit) => Params[]>> = {
  get_event: () => [{ id: 'theirs' }, { title: 'theirs' }],
  create_event: (_world, limit) => {
    const { category, target } = beyond[limit];
    const event = { title: 'X', enabled: 1, plugin: 'shellplug' };
    const own = { ...event, category: 'own', target: 'owngrp' };
    return [
      { ...event, category, target },
      { ...own, chain: 'theirs' },
      { ...own, chain_error: 'theirs' },
    ];
  },
  update_event: (_world, limit) => {
    const { category, target } = beyond[limit];
    return [
      { id: 'theirs', enabled: 0 },
      { id: 'mine', category, target },
      { id: 'mine', chain: 'theirs' },
      { id: 'mine', chain_error: 'theirs' },
    ];
  },
  delete_event: () => [{ id: 'theirs' }],
  get_event_history: () => [{ id: 'theirs' }],
  run_event: (_world, limit) => {
    const { category, target } = beyond[limit];
    return [
      { id: 'theirs' },
      { title: 'theirs' },
      { id: 'mine', category, target },
      { id: 'mine', chain: 'theirs' },
    ];
  },
  get_job_status: ({ jobs, ended }) => [{ id: jobs.theirs }, { id: ended.theirs }],
  get_job_details: ({ jobs, ended }) => [{ id: jobs.theirs }, { id: ended.theirs }],
  get_job_log: ({ jobs, ended }) => [{ id: jobs.theirs }, { id: ended.theirs }],
  get_live_job_log: ({ jobs }) => [{ id: jobs.theirs }],
  get_log_watch_auth: ({ jobs }) => [{ id: jobs.theirs }],
  update_job: ({ jobs }) => [{ id: jobs.theirs }, { id: jobs.mine, chain: 'theirs' }],
  abort_job: ({ jobs }) => [{ id: jobs.theirs }],
  flush_event_queue: () => [{ id: 'theirs' }],
  update_jobs: () => [
    { updates: {} },
    { updates: {}, event: 'theirs' },
    { updates: { chain: 'theirs' }, event: 'mine' },
  ],
  abort_jobs: () => [{}, { event: 'theirs' }],
};

/** What a list answers, as ids that tell which is whose. */
const shown: Partial<Record<ApiCallName, (answer: Params) => unknown>> = {
  get_schedule: ({ rows, list }) => [rows, list],
  get_history: ({ rows, list }) => [rows, list],
  get_upcoming: ({ rows, list }) => [rows, list],
  get_active_jobs: ({ jobs }) => jobs,
  status: ({ events, jobs }) => [events, jobs],
};

const classes = Object.entries(callScopes) as [ApiCallName, CallScope][];
const callsOf = (...wanted: CallScope[]) =>
  classes.flatMap(([name, scope]) => (wanted.includes(scope) ? [name] : []));
const cases = (names: ApiCallName[]) =>
  names.flatMap((name) =>
    (['category', 'group'] as const).flatMap((limit) =>
      credentials.map((credential) => [name, limit, credential] as const),
    ),
  );

describe('calls about one event or job, or about all that match', () => {
  test.each(cases(callsOf('object', 'each')))(
    '%s beyond a %s limit, by %s',
    async (name, limit, credential) => {
      const world = await start(limit);
      const { office, api, by } = world;
      const before = JSON.stringify([[...office.state.events.newestFirst()], [...office.state.jobs]]);
      const launches = office.launches.length;
      const requests = refusedRequests[name]?.(world, limit) ?? [];
      expect(requests.length).toBeGreaterThan(0);
      for (const params of requests) {
        const answer =
          apiCalls[name].merge === 'query-only'
            ? await api.get(
                name,
                new URLSearchParams(params as Record<string, string>).toString(),
                by[credential],
              )
            : await api.call(name, params, by[credential]);
        const who = credential === 'key' ? "API Key ('limited')" : "User 'Limited'";
        expect([params, answer['code'], answer['description']]).toEqual([
          params,
          credential === 'key' ? 'api' : 'user',
          expect.stringMatching(`${who.replaceAll(/[()]/g, '.')}.*\\(${beyond[limit].missing}\\)`),
        ]);
      }
      expect(JSON.stringify([[...office.state.events.newestFirst()], [...office.state.jobs]])).toBe(before);
      expect(office.launches).toHaveLength(launches);
      expect(office.aborts).toEqual([]);
    },
  );

  test.each(cases(['get_event', 'get_job_status', 'update_job', 'abort_jobs', 'run_event', 'update_event']))(
    '%s within a %s limit, by %s, is answered',
    async (name, limit, credential) => {
      const { api, jobs, by } = await start(limit);
      const isJob = name === 'get_job_status' || name === 'update_job';
      const params =
        name === 'abort_jobs' ? { event: 'mine' } : { id: isJob ? jobs.mine : 'mine', chain: '' };
      expect(await api.call(name, params, by[credential])).toMatchObject({ code: 0 });
    },
  );
});

describe('lists', () => {
  test.each(cases(callsOf('list')))(
    '%s within a %s limit, by %s, shows what is there',
    async (name, limit, credential) => {
      const { office, api, jobs, ended, by } = await start(limit);
      const view = shown[name] ?? (() => 'no such list');
      const answer = view(await api.call(name, {}, by[credential]));
      const all = view(await api.call(name, {}));
      const text = JSON.stringify(answer);
      expect(text).not.toContain('theirs');
      for (const foreign of [jobs.theirs, ended.theirs]) expect(text).not.toContain(foreign);
      // As if nothing else were there.
      office.apply([
        { type: 'delete', table: 'events', id: 'theirs' },
        { type: 'forget-job', id: jobs.theirs },
      ]);
      await office.deleteJob({ ...(await office.completedJob(ended.theirs)), id: ended.theirs } as never);
      expect(answer).toEqual(view(await api.call(name, {})));
      expect(answer).not.toEqual(all);
    },
  );
});

describe('calls for administrators', () => {
  test.each(callsOf('admin'))('%s is refused to whoever has every other privilege', async (name) => {
    expect(apiCalls[name].auth).toBe('admin');
    const { api, by } = await start('category');
    const required: readonly string[] = apiCalls[name].params.required ?? [];
    const values: Params = { max_children: 1, password: 'geheim12', part: 0, parts: 0, lines: [] };
    const params = Object.fromEntries(required.map((field) => [field, values[field] ?? 'x']));
    expect(await api.call(name, params, by.session)).toEqual({
      code: 'user',
      description: 'User is not an administrator: Limited',
    });
  });
});

describe('calls without anything of an event or a job', () => {
  test.each(callsOf('open'))('%s', async (name) => {
    const { api, jobs, ended, by } = await start('category');
    const required: readonly string[] = apiCalls[name].params.required ?? [];
    const values: Params = { enabled: 1 };
    const params = Object.fromEntries(required.map((field) => [field, values[field] ?? 'x']));
    const text = JSON.stringify(await api.call(name, params, by.key));
    for (const id of ['theirs', jobs.theirs, ended.theirs]) expect(text).not.toContain(id);
  });
});

test('jobs of an event that were started for elsewhere are not shown with it', async () => {
  const { api, jobs, by } = await start('category');
  const { ids } = await api.call('run_event', { id: 'mine', category: 'foreign' });
  const { jobs: active } = await api.call('get_event', { id: 'mine' }, by.key);
  expect(active).toMatchObject([{ id: jobs.mine }]);
  expect(JSON.stringify(active)).not.toContain(String(Array.isArray(ids) ? ids[0] : ''));
});

test('history of an event that was elsewhere before is shown as far as it is within the limits', async () => {
  const { office, api, ended, by } = await start('category');
  const row = office.rows.find((one) => one.id === ended.mine);
  if (row === undefined) throw new Error('No row');
  office.rows.unshift({ ...row, id: 'jbefore', category: 'foreign' });
  expect(await api.call('get_event_history', { id: 'mine' }, by.key)).toMatchObject({
    rows: [{ id: ended.mine }],
    list: { length: 1 },
  });
});

test('a limited caller cannot chain to an event that is not there yet', async () => {
  const { api, by } = await start('category');
  expect(await api.call('update_event', { id: 'mine', chain: 'later' }, by.key)).toEqual({
    code: 'event',
    description: 'Failed to locate event: later',
  });
  expect(await api.call('update_event', { id: 'mine', chain: 'later' })).toMatchObject({ code: 0 });
});
