import { afterEach, describe, expect, test } from '@jest/globals';
import type { PrimaryMessage } from '@carillon/contract';
import { stopAll, TestApi } from '../support/api-server.js';
import { admin, newEvent, officeOf, OfficeWorld, onDemand, runningJob } from '../support/office-world.js';
import { referenceOffice } from '../support/reference-state.js';

afterEach(stopAll);

/** An API over workers of the names `HOST` or `HOST=ID`; those of `away` are not connected. */
async function start(names: readonly string[], away: readonly string[] = []) {
  const office = referenceOffice();
  const sent: [string, PrimaryMessage][] = [];
  for (const name of names) {
    const [hostname = '', id = hostname] = name.split('=');
    const node = { id, boot: 'b1', hostname, ip: '10.0.0.1', groups: ['web'], master: 0 as const, slots: 4 };
    const hello = { type: 'hello' as const, node: { ...node, version: 'test' }, runs: [], draining: false };
    const link = { send: (message: PrimaryMessage) => void sent.push([id, message]), close: () => undefined };
    const { boot: _boot, ...record } = node;
    const entry = office.registry.join(hello, link, { ...record, created: 5 }, -2500);
    if (away.includes(id)) entry.link = undefined;
  }
  return { office, sent, api: await TestApi.start({ office }) };
}

describe('get_servers', () => {
  test('shows what a server is, may take and does', async () => {
    const { api } = await start(['web1=n1']);
    expect(await api.get('get_servers')).toEqual({
      code: 0,
      servers: {
        web1: {
          id: 'n1',
          hostname: 'web1',
          ip: '10.0.0.1',
          master: 0,
          groups: ['web', 'allgrp'],
          slots: 4,
          active_jobs: 0,
          draining: 0,
          health: 'alive',
          disabled: 0,
          uptime: 2,
          data: { cpu: 0, mem: 0 },
          created: 5,
        },
      },
    });
  });

  test('two of one name are both shown', async () => {
    const { api } = await start(['web1=n1', 'web1=n2'], ['n2']);
    expect(await api.get('get_servers')).toMatchObject({
      servers: { web1: { id: 'n1', disabled: 0 }, 'web1 (n2)': { id: 'n2', disabled: 1 } },
    });
  });
});

describe('restart_server and shutdown_server', () => {
  test.each([
    ['restart_server', true, 'server_restart'],
    ['shutdown_server', false, 'server_shutdown'],
  ])('%s tells the server and is noted', async (call, restart, action) => {
    const { api, office, sent } = await start(['web1=n1']);
    expect(await api.call(call, { hostname: 'WEB1' })).toEqual({ code: 0 });
    expect(await api.call(call, { hostname: 'n1', grace: 7 })).toEqual({ code: 0 });
    expect(sent).toEqual([
      ['n1', { type: 'drain', restart }],
      ['n1', { type: 'drain', restart, graceSec: 7 }],
    ]);
    const note = { action, id: 'n1', hostname: 'web1', ip: '10.0.0.1', api_key: 'kadmin' };
    expect(office.activities).toMatchObject([note, note]);
    expect(await api.get('get_servers')).toMatchObject({ servers: { web1: { draining: 1 } } });
  });

  test.each([
    [{ hostname: 'nope' }, 1, /^Could not locate server: nope$/],
    [{ hostname: 'web2' }, 1, /^Could not locate server: web2$/],
    [{ hostname: 'twin' }, 'server', /^Several servers are called twin\. .* n3, n4$/],
    [{}, 'api', /^Missing parameter: hostname$/],
    [{ hostname: 'web1', grace: -1 }, 'api', /grace/],
  ])('%j is refused', async (params, code, description) => {
    const { api, sent, office } = await start(['web1=n1', 'web2=n2', 'twin=n3', 'twin=n4'], ['n2']);
    expect(await api.call('shutdown_server', params)).toEqual({
      code,
      description: expect.stringMatching(description),
    });
    expect(sent).toEqual([]);
    expect(office.activities).toEqual([]);
  });
});

describe('remove_server', () => {
  test('forgets one that is away; not one that is connected', async () => {
    const { api, office } = await start(['web1=n1', 'web2=n2'], ['n2']);
    expect(await api.call('remove_server', { hostname: 'web2' })).toEqual({ code: 0 });
    expect(await api.call('remove_server', { hostname: 'web2' })).toEqual({
      code: 'server',
      description: 'Server not found in cluster: web2',
    });
    expect(await api.call('remove_server', { hostname: 'web1' })).toEqual({
      code: 'server',
      description: 'Failed to remove server: Still connected; shut it down first',
    });
    expect(office.activities).toMatchObject([{ action: 'server_remove', hostname: 'web2' }]);
  });

  test('keeps one that has jobs', async () => {
    const { world, office, worker } = await runningJob();
    await worker.die();
    await expect(office.servers.remove('w1', admin)).rejects.toThrow(/Still has running jobs/);
    await world.pass(125_000);
    expect(office.servers.list().size).toBe(0);
  });
});

describe('in a whole primary', () => {
  test('a drained server gets no more jobs, finishes those it runs, and is forgotten', async () => {
    const { world, office, worker, id, job } = await runningJob();
    const other = await world.worker('w2', 'p1');
    await other.work();
    await office.servers.drain('w1', { restart: false, graceSec: undefined }, admin);
    await world.settle();
    expect(worker.received).toContainEqual({ type: 'drain', restart: false });
    // Even before the worker has answered.
    for (let now = 10; now < 20; now += 1) await office.launch({ event: id, overrides: {}, now });
    await world.settle();
    expect(other.claimed).toHaveLength(10);
    expect(office.servers.list().get('w1')).toMatchObject({ draining: 1, active_jobs: 1 });
    await worker.leave();
    await worker.settle(job);
    await worker.die();
    expect(await office.completedJob(job)).toMatchObject({ code: 0 });
    expect([...office.servers.list().keys()]).toEqual(['w2']);
    expect(office.state.servers.get('w1')).toBeUndefined();
  });

  test('one that starts anew works again', async () => {
    const { world, office, worker, job } = await runningJob();
    await office.servers.drain('w1', { restart: true, graceSec: 5 }, admin);
    await worker.leave();
    await worker.settle(job);
    await worker.die();
    const again = await world.worker('w1', 'p1', 'second-boot');
    await again.work();
    const event = await office.createEvent(newEvent(onDemand), admin);
    await office.launch({ event, overrides: {}, now: 30 });
    await world.settle();
    expect(again.claimed).toHaveLength(1);
    expect(office.servers.list().get('w1')).toMatchObject({ draining: 0, disabled: 0 });
  });

  test('a removed server is gone for the next primary as well', async () => {
    const world = new OfficeWorld();
    const first = await world.primary('p1');
    const worker = await world.worker('w1', 'p1');
    await worker.die();
    await officeOf(first).servers.remove('w1', admin);
    await first.stop();
    expect(officeOf(await world.primary('p2')).servers.list().size).toBe(0);
  });
});

describe('step_down', () => {
  test.each([
    [{}, 5_000],
    [{ quiet: 0 }, 0],
    [{ quiet: 60 }, 60_000],
  ])('%j leaves the office for %i ms and answers the term', async (params, quietMs) => {
    const { api, office } = await start([]);
    expect(await api.call('step_down', params)).toEqual({ code: 0, term: office.session.term });
    expect(office.stepDowns).toEqual([quietMs]);
  });

  test.each([{ quiet: -1 }, { quiet: 3601 }, { quiet: 'x' }])('%j is refused', async (params) => {
    const { api, office } = await start([]);
    expect(await api.call('step_down', params)).toMatchObject({
      code: 'api',
      description: expect.stringContaining('quiet'),
    });
    expect(office.stepDowns).toEqual([]);
  });
});
