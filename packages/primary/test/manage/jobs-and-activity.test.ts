import { afterEach, describe, expect, test } from '@jest/globals';
import { Readable } from 'node:stream';
import { stopAll, TestApi } from '../support/api-server.js';
import { nowSec } from '../support/fake-office.js';
import { admin, newEvent, officeOf, OfficeWorld, onDemand } from '../support/office-world.js';
import { referenceOffice } from '../support/reference-state.js';

afterEach(stopAll);

const key = 'limitedkey';

async function start() {
  const office = referenceOffice();
  office.addKey('limited', key, { run_events: 1, cat_limit: 1, cat_43f8c57e: 1 });
  const api = await TestApi.start({ office });
  const run = async (id: string) => String(Object((await api.call('run_event', { id }))['ids'])[0]);
  return { office, api, run };
}

const scope = (privilege: string) => ({
  code: 'api',
  description: `API Key ('limited') does not have the required privileges to perform this action (${privilege}).`,
});

describe('get_job_details', () => {
  test('answers completed jobs only', async () => {
    const { api, office, run } = await start();
    const id = await run('3c182051');
    expect(await api.get('get_job_details', `id=${id}`)).toEqual({
      code: 'job',
      description: `Failed to fetch job details: Job has not been completed: ${id}`,
    });
    office.finish(id);
    expect(await api.get('get_job_details', `id=${id}&need_log=1`)).toMatchObject({
      code: 0,
      job: { id, code: 0, complete: 1 },
    });
    office.logs.delete(id);
    expect(await api.get('get_job_details', `id=${id}&need_log=1`)).toMatchObject({ code: 'job' });
    expect(await api.get('get_job_details', `id=${id}`)).toMatchObject({ code: 0 });
    expect(await api.get('get_job_details', 'id=nope')).toMatchObject({ code: 'job' });
  });

  test('is limited to what the caller may see', async () => {
    const { api, office, run } = await start();
    const [own, other] = [await run('3c182051'), await run('29bf12db')];
    expect(await api.get('get_job_details', `id=${other}`, { key })).toEqual(scope('cat_general'));
    office.finish(own);
    office.finish(other);
    expect(await api.get('get_job_details', `id=${other}`, { key })).toEqual(scope('cat_general'));
    expect(await api.get('get_job_details', `id=${own}`, { key })).toMatchObject({ code: 0 });
  });
});

describe('delete_job', () => {
  test('refuses active and unknown jobs', async () => {
    const { api, run } = await start();
    const id = await run('3c182051');
    expect(await api.call('delete_job', { id })).toMatchObject({ code: 'job' });
    expect(await api.call('delete_job', { id: 'nope' })).toMatchObject({ code: 'job' });
    expect(await api.call('delete_job', { id: '__proto__' })).toMatchObject({ code: 'job' });
  });

  test('removes the record, both rows and the log, nothing of other jobs, and is noted', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const worker = await world.worker('w1', 'p1');
    await worker.work();
    const event = await office.createEvent(newEvent(onDemand), admin);
    const jobs: string[] = [];
    for (let now = 1; now <= 5; now += 1) {
      jobs.push(...(await office.launch({ event, overrides: {}, now })).ids);
      await world.settle();
    }
    for (const job of jobs) {
      await worker.settle(job);
      await world.archive.put(job, Readable.from([Buffer.from(job)]), 1000);
    }
    const [gone = '', ...kept] = [jobs[2], jobs[0], jobs[1], jobs[3], jobs[4]];
    const record = await office.completedJob(gone);
    if (record === undefined) throw new Error('No record');
    await office.deleteJob(record, admin);
    expect(await office.completedJob(gone)).toBeUndefined();
    expect(await office.jobLog(gone)).toBeUndefined();
    for (const list of [undefined, event]) {
      const { rows, length } = await office.history(list, 0, 100);
      expect(rows.map((row) => row.id).sort()).toEqual([...kept].sort());
      expect(length).toBe(4);
    }
    for (const job of kept) {
      expect(await office.completedJob(String(job))).toMatchObject({ id: job });
      expect(await office.jobLog(String(job))).toBeDefined();
    }
    expect(world.storeBoard.activity()[0]).toMatchObject({
      action: 'job_delete',
      id: gone,
      event,
      api_key: 'kadmin',
    });
    // Repeated after a break-off it does no harm.
    await office.deleteJob(record, admin);
    expect((await office.history(undefined, 0, 100)).length).toBe(4);
  });
});

describe('get_activity', () => {
  test('is paged, newest first, and holds no credential', async () => {
    const { api, office } = await start();
    const params = [{ id: 'token', type: 'hidden', value: 's3cret' }];
    const plugin = { id: 'p', title: 'P', command: 'x', params, env: { A: 'classified' } };
    await api.call('create_plugin', plugin);
    await api.call('update_plugin', { id: 'p', params, env: { A: 'classified' } });
    await api.call('delete_plugin', { id: 'p' });
    const all = await api.get('get_activity');
    expect(all).toMatchObject({
      code: 0,
      rows: [
        { action: 'plugin_delete', epoch: nowSec },
        { action: 'plugin_update' },
        { action: 'plugin_create', plugin: { id: 'p', command: 'x' }, api_title: 'admin' },
      ],
      list: { length: 3 },
    });
    expect(JSON.stringify(all)).not.toMatch(/s3cret|classified/);
    expect(await api.get('get_activity', 'offset=1&limit=1')).toMatchObject({
      rows: [{ action: 'plugin_update' }],
      list: { length: 3 },
    });
    office.storeFault = new Error('gone');
    expect(await api.get('get_activity')).toMatchObject({ code: 'unavailable' });
  });

  test('a primary answers what it noted', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const id = await office.createEvent(newEvent(), admin);
    await office.records.createCategory({ title: 'C', max_children: 0 }, admin);
    expect(await office.activity(0, 10)).toMatchObject({
      rows: [{ action: 'cat_create' }, { action: 'event_create', event: { id } }],
      length: 2,
    });
  });
});

describe('get_upcoming', () => {
  test('lists what is due in the next day, or in the hours asked for', async () => {
    const { api, office } = await start();
    office.addEvent({ id: 'daily', title: 'Daily', timing: { hours: [4], minutes: [30] } });
    office.addEvent({ id: 'hourly', timing: { minutes: [0] }, category: '43f8c57e' });
    const day = await api.get('get_upcoming', 'limit=100');
    // Also the two events of the reference: one is disabled, the other is due each hour.
    expect(day).toMatchObject({ code: 0, enabled: 1, list: { length: 49 }, until: nowSec - 20 + 86_400 });
    const rows: unknown = day['rows'];
    expect(rows).toHaveLength(49);
    expect(rows).toContainEqual({
      event: 'daily',
      epoch: Date.UTC(2023, 10, 15, 4, 30) / 1000,
      event_title: 'Daily',
      category: 'general',
      plugin: 'shellplug',
      target: 'allgrp',
    });
    expect(await api.get('get_upcoming', 'hours=1')).toMatchObject({ list: { length: 2 } });
    expect(await api.get('get_upcoming', 'hours=1&offset=1&limit=5')).toMatchObject({
      rows: [{ event: '29bf12db' }],
      list: { length: 2 },
    });
    expect(await api.get('get_upcoming', 'hours=100000')).toMatchObject({ until: nowSec - 20 + 168 * 3600 });
    expect(await api.get('get_upcoming', 'hours=soon')).toMatchObject({ until: nowSec - 20 + 86_400 });
    expect(await api.call('get_upcoming', { hours: [] })).toMatchObject({ code: 'api' });
  });

  test('is limited to what the caller may see, and needs a key', async () => {
    const { api, office } = await start();
    office.addEvent({ id: 'mine', timing: { minutes: [0] }, category: '43f8c57e' });
    expect(await api.get('get_upcoming', 'hours=2', { key })).toMatchObject({
      rows: [{ event: 'mine' }, { event: 'mine' }],
      list: { length: 2 },
    });
    expect(await api.get('get_upcoming', '', { key: null })).toMatchObject({ code: 'session' });
  });

  test('is empty while the scheduler is off', async () => {
    const { api } = await start();
    await api.call('update_master_state', { enabled: 0 });
    expect(await api.get('get_upcoming')).toMatchObject({ rows: [], list: { length: 0 }, enabled: 0 });
  });

  test('a primary sees changes of its schedule at once', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const wish = { minutes: 3, offset: 0, limit: 10, isVisible: () => true };
    const id = await office.createEvent(newEvent(), admin);
    expect(office.upcoming(wish)).toMatchObject({ length: 3 });
    await office.records.updateCategory({ id: 'general', enabled: 0 }, admin);
    expect(office.upcoming(wish)).toMatchObject({ length: 0 });
    await office.records.updateCategory({ id: 'general', enabled: 1 }, admin);
    await office.updateEvent(id, { timing: false }, { abortJobs: false }, admin);
    expect(office.upcoming(wish)).toMatchObject({ length: 0 });
  });
});
