import { describe, expect, test } from '@jest/globals';
import { admin, newEvent, officeOf, OfficeWorld, onDemand, runningJob } from '../support/office-world.js';

/** What changed records mean for jobs, in a whole primary. */

describe('a category', () => {
  test('that is disabled launches nothing from then on, and ends its jobs when asked to', async () => {
    const { world, office, worker, id, job } = await runningJob();
    await office.records.updateCategory({ id: 'general', enabled: 0, abort_jobs: 1 }, admin);
    await world.settle();
    const reason = "Category 'General' has been disabled.";
    expect(worker.received).toContainEqual({ type: 'abort', job, attempt: 1, kind: 'disabled', reason });
    await expect(office.launch({ event: id, overrides: {}, now: 6 })).rejects.toThrow(/disabled/);
    await office.records.updateCategory({ id: 'general', enabled: 1 }, admin);
    expect((await office.launch({ event: id, overrides: {}, now: 7 })).ids).toHaveLength(1);
  });

  test('whose limit rises lets queued jobs go on', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const worker = await world.worker('w1', 'p1');
    await worker.work();
    await office.records.updateCategory({ id: 'general', max_children: 1 }, admin);
    const event = await office.createEvent(newEvent({ ...onDemand, queue: 1, queue_max: 9 }), admin);
    for (let now = 1; now <= 3; now += 1) await office.launch({ event, overrides: {}, now });
    await world.settle();
    expect(worker.claimed).toHaveLength(1);
    await office.records.updateCategory({ id: 'general', max_children: 2 }, admin);
    await world.settle();
    expect(worker.claimed).toHaveLength(2);
    expect(office.queueLength(event)).toBe(1);
  });

  test('that is enabled again lets catch-up events make up what they missed, at once', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const worker = await world.worker('w1', 'p1');
    await worker.work();
    await office.createEvent(newEvent({ catch_up: 1 }), admin);
    await office.records.updateCategory({ id: 'general', enabled: 0 }, admin);
    await world.passMinute(worker);
    await world.passMinute(worker);
    expect(worker.claimed).toEqual([]);
    await office.records.updateCategory({ id: 'general', enabled: 1 }, admin);
    await world.settle();
    expect(worker.claimed).toHaveLength(2);
  });
});

test('a changed plugin counts for the next job', async () => {
  const { world, office, worker, id } = await runningJob();
  await office.records.updatePlugin({ id: 'shellplug', cwd: '/srv' }, admin);
  const { ids } = await office.launch({ event: id, overrides: {}, now: 9 });
  await world.settle();
  expect(worker.held.get(ids[0] ?? '')?.job).toMatchObject({ cwd: '/srv' });
});

test('a group that takes a server in lets its queue go on', async () => {
  const world = new OfficeWorld();
  const office = officeOf(await world.primary('p1'));
  const worker = await world.worker('w1', 'p1');
  await worker.work();
  const target = await office.records.createServerGroup({ title: 'Web', regexp: '^web' }, admin);
  const event = await office.createEvent(newEvent({ ...onDemand, target, queue: 1, queue_max: 9 }), admin);
  await office.launch({ event, overrides: {}, now: 1 });
  await world.settle();
  expect(worker.claimed).toEqual([]);
  await office.records.updateServerGroup({ id: target, regexp: '^w1$' }, admin);
  await world.settle();
  expect(worker.claimed).toHaveLength(1);
});

test('records outlive the primary, and what an administrator deleted does not come back', async () => {
  const world = new OfficeWorld();
  const first = await world.primary('p1');
  const office = officeOf(first);
  await office.records.createCategory({ id: 'mine', title: 'Mine', max_children: 1 }, admin);
  await office.records.updateCategory({ id: 'mine', color: 'red' }, admin);
  await office.records.updateCategory({ id: 'general', title: 'Renamed' }, admin);
  for (const id of ['testplug', 'shellplug', 'urlplug']) await office.records.deletePlugin(id, admin);
  const { key } = await office.records.createApiKey({ title: 'CI' }, admin);
  await first.stop();
  const { state } = officeOf(await world.primary('p2'));
  expect(state.categories.get('mine')).toMatchObject({ color: 'red', max_children: 1, api_key: 'kadmin' });
  expect(state.categories.get('general')?.title).toBe('Renamed');
  expect(state.plugins.size).toBe(0);
  expect(state.keyByHash(`hash of ${key}`)?.title).toBe('CI');
  expect(world.storeBoard.activity().map((entry) => entry.action)).toEqual([
    'apikey_create',
    'plugin_delete',
    'plugin_delete',
    'plugin_delete',
    'cat_update',
    'cat_update',
    'cat_create',
  ]);
});
