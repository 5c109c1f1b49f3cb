import { describe, expect, test } from '@jest/globals';
import type { Change, ClusterState } from '@carillon/core';
import {
  admin,
  dispatchedJob,
  newEvent,
  officeOf,
  OfficeWorld,
  onDemand,
  runningJob,
  startMs,
} from '../support/office-world.js';

function disable(state: ClusterState, table: 'categories' | 'plugins', id: string): void {
  const entry = state[table].entry(id);
  if (entry === undefined) throw new Error(`no ${id}`);
  state.applyChange({
    type: 'put',
    table,
    seq: entry.seq,
    record: { ...entry.record, enabled: 0 },
  } as Change);
}

const minute = (offset: number) => Math.floor(startMs / 60_000) * 60 + 60 * offset;

describe('a job', () => {
  test('is launched, claimed, run and finished, and can be looked up at every moment', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const worker = await world.worker('w1', 'p1');
    const id = await office.createEvent(newEvent(onDemand), admin);
    const { ids } = await office.launch({ event: id, overrides: {}, now: 5, source: 'API Key (Admin)' });
    const job = ids[0] ?? '';
    expect(office.activeJob(job)).toMatchObject({
      state: 'dispatched',
      hostname: 'w1',
      source: 'API Key (Admin)',
    });
    await worker.work();
    expect(office.activeJob(job)).toMatchObject({ state: 'running', pid: 4711 });
    expect(await office.completedJob(job)).toBeUndefined();
    await worker.settle(job);
    expect(office.activeJob(job)).toBeUndefined();
    expect(await office.completedJob(job)).toMatchObject({
      id: job,
      complete: 1,
      code: 0,
      hostname: 'w1',
      elapsed: 1,
    });
    expect((await office.history(id, 0, 10)).rows.map((row) => row.id)).toEqual([job]);
    expect(office.state.stats.totals).toMatchObject({ jobs_completed: 1, jobs_failed: 0 });
  });

  test('whose result is delivered twice ends once', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const worker = await world.worker('w1', 'p1');
    await worker.work();
    const id = await office.createEvent(newEvent(onDemand), admin);
    const { ids } = await office.launch({ event: id, overrides: {}, now: 5 });
    const job = ids[0] ?? '';
    await world.settle();
    const run = worker.held.get(job);
    await worker.settle(job);
    if (run !== undefined) worker.held.set(job, run);
    await worker.settle(job, { code: 9, description: 'late' });
    expect((await office.history(undefined, 0, 10)).length).toBe(1);
    expect(await office.completedJob(job)).toMatchObject({ code: 0 });
  });

  test('gets its ticket again when the first one is lost, and is still started once', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const worker = await world.worker('w1', 'p1');
    const id = await office.createEvent(newEvent(onDemand), admin);
    await office.launch({ event: id, overrides: {}, now: 5 });
    await world.queue.discardTickets('w1');
    await worker.work();
    expect(worker.claimed).toHaveLength(0);
    for (let second = 0; second < 20; second += 1) {
      worker.beat();
      await world.clock.advanceSettling(1_000);
    }
    expect(worker.claimed).toHaveLength(1);
  });
});

describe('aborting', () => {
  test('a job that no worker has claimed ends at once and can never be claimed', async () => {
    const { office, worker, job } = await dispatchedJob();
    await office.abortJob(job, admin);
    expect(await office.completedJob(job)).toMatchObject({
      code: 1,
      description: 'Job Aborted: Manually aborted by API Key: kadmin (Admin)',
    });
    await worker.work();
    expect(worker.claimed).toEqual([]);
  });

  test('a running job is told to its worker, and again when the worker comes back', async () => {
    const { world, office, worker, job } = await runningJob();
    world.channel.lose('http://p1', 'network');
    await office.abortJob(job, admin);
    expect(worker.received.filter((message) => message.type === 'abort')).toEqual([]);
    await worker.connect('p1');
    expect(worker.received).toContainEqual({
      type: 'abort',
      job,
      attempt: 1,
      kind: 'manual',
      reason: 'Manually aborted by API Key: kadmin (Admin)',
    });
    await worker.settle(job);
    expect(await office.completedJob(job)).toMatchObject({ code: 1, abort_reason: expect.any(String) });
  });

  test('disabling an event with abort_jobs ends its jobs with the reason of the peer', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    await world.worker('w1', 'p1');
    const id = await office.createEvent(newEvent(onDemand), admin);
    const job = (await office.launch({ event: id, overrides: {}, now: 5 })).ids[0] ?? '';
    await office.updateEvent(id, { enabled: 0 }, { abortJobs: true }, admin);
    expect(await office.completedJob(job)).toMatchObject({
      description: "Job Aborted: Event 'Minutely' has been disabled.",
    });
  });
});

describe('the schedule', () => {
  test('launches a due event once per minute, with the minute as `now` and without a source', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const worker = await world.worker('w1', 'p1');
    await worker.work();
    await office.createEvent(newEvent(), admin);
    for (let count = 0; count < 3; count += 1) {
      // Minutes pass in steps, as beats keep the worker alive.
      while (world.clock.nowMs() % 60_000 < 58_000) {
        worker.beat();
        await world.clock.advanceSettling(2_000);
      }
      worker.beat();
      await world.toNextMinute();
    }
    const jobs = [...worker.held.values()].map(({ job }) => job);
    expect(jobs.map((job) => job.now)).toEqual([minute(1), minute(2), minute(3)]);
    expect(jobs.every((job) => job.source === undefined)).toBe(true);
  });

  test.each([
    ['the scheduler is off', (state: ClusterState) => state.applyChange({ type: 'switch', enabled: 0 })],
    ['its category is disabled', (state: ClusterState) => disable(state, 'categories', 'general')],
    ['its plugin is disabled', (state: ClusterState) => disable(state, 'plugins', 'shellplug')],
    ['nothing is in the way', undefined],
  ])('an event that is due when %s', async (_case, prevent) => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const worker = await world.worker('w1', 'p1');
    await office.createEvent(newEvent({ title: 'off', enabled: 0 }), admin);
    await office.createEvent(newEvent({ title: 'on' }), admin);
    prevent?.(office.state);
    await world.clock.advanceSettling(27_000);
    worker.beat();
    await world.clock.advanceSettling(1_000);
    await world.toNextMinute();
    const launched = [...office.activeJobs()].map((job) => job.event_title);
    expect(launched).toEqual(prevent === undefined ? ['on'] : []);
    // What is switched off on purpose is not reported as a failure.
    expect(world.storeBoard.activity().filter((entry) => entry.action === 'warning')).toEqual([]);
  });

  test('a new primary launches what its predecessor did not, each minute once', async () => {
    const world = new OfficeWorld();
    const first = await world.primary('p1');
    const second = await world.primary('p2');
    const worker = await world.worker('w1', 'p1');
    await worker.work();
    const events = ['a', 'b', 'c'].map((title) => newEvent({ title, target: 'w1' }));
    for (const event of events) await officeOf(first).createEvent(event, admin);
    await world.clock.advanceSettling(27_000);
    worker.beat();
    await world.clock.advanceSettling(1_000);
    // The store takes the first launch of the minute and is then lost to this primary.
    const store = world.stores.get('p1');
    let commits = 0;
    const commit = store?.commit.bind(store);
    if (store === undefined || commit === undefined) throw new Error('no store');
    store.commit = (session, changes) => {
      commits += 1;
      if (commits === 2) store.failNextCommit(new Error('connection lost'), 'before');
      return commit(session, changes);
    };
    worker.beat();
    await world.toNextMinute();
    expect(first.office()).toBeUndefined();
    await world.clock.advanceSettling(3_000);
    await worker.connect('p2');
    await world.clock.advanceSettling(100);
    officeOf(second);
    await world.settle();
    const launched = [...worker.held.values()].map(({ job }) => `${job.event_title} ${job.now}`);
    expect(launched.sort()).toEqual([`a ${minute(1)}`, `b ${minute(1)}`, `c ${minute(1)}`]);
    await first.stop();
    await second.stop();
  });

  test('a refused launch is reported, and not retried for an event that does not catch up', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    await office.createEvent(newEvent({ target: 'nowhere' }), admin);
    await world.passMinute(await world.worker('w1', 'p1'));
    expect(office.state.jobs.size).toBe(0);
    expect(world.storeBoard.activity()[0]).toMatchObject({
      action: 'warning',
      description: 'Failed to launch scheduled event: Minutely: Server or Server Group not found: nowhere',
    });
  });
});

describe('multiplex with stagger', () => {
  test('all ids at once, one job per server, started in turn, also across a failover', async () => {
    const world = new OfficeWorld();
    const first = await world.primary('p1');
    const second = await world.primary('p2');
    const workers = [
      await world.worker('w1', 'p1'),
      await world.worker('w2', 'p1'),
      await world.worker('w3', 'p1'),
    ];
    for (const worker of workers) await worker.work();
    const office = officeOf(first);
    const id = await office.createEvent(newEvent({ ...onDemand, multiplex: 1, stagger: 10 }), admin);
    const { ids } = await office.launch({ event: id, overrides: {}, now: 5 });
    expect(ids).toHaveLength(3);
    await world.settle();
    expect(workers.map((worker) => worker.claimed.length)).toEqual([1, 0, 0]);
    expect(ids.map((job) => office.activeJob(job)?.state)).toEqual(['running', 'waiting', 'waiting']);
    await first.stop();
    await world.clock.advanceSettling(500);
    officeOf(second);
    for (const worker of workers) await worker.connect('p2');
    await world.clock.advanceSettling(9_600);
    expect(workers.map((worker) => worker.claimed.length)).toEqual([1, 1, 0]);
    for (const worker of workers) worker.beat();
    await world.clock.advanceSettling(10_000);
    expect(workers.map((worker) => worker.claimed.length)).toEqual([1, 1, 1]);
    await second.stop();
    expect(world.clock.pending).toBe(0);
  });
});

describe('queueing', () => {
  test('jobs over the limit wait with their ids, first in first out', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const worker = await world.worker('w1', 'p1');
    await worker.work();
    const id = await office.createEvent(
      newEvent({ ...onDemand, max_children: 1, queue: 1, queue_max: 2 }),
      admin,
    );
    const launch = () => office.launch({ event: id, overrides: {}, now: 5 });
    const first = await launch();
    const second = await launch();
    const third = await launch();
    expect([second.queue, third.queue]).toEqual([1, 2]);
    await expect(launch()).rejects.toThrow('Event queue reached max of 2 items');
    expect(office.activeJob(second.ids[0] ?? '')).toMatchObject({ state: 'queued' });
    await world.settle();
    await worker.settle(first.ids[0] ?? '');
    expect([...worker.held.keys()]).toEqual(second.ids);
    await worker.settle(second.ids[0] ?? '');
    expect([...worker.held.keys()]).toEqual(third.ids);
  });

  test('without a queue a launch over the limit is refused', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    await world.worker('w1', 'p1');
    const id = await office.createEvent(newEvent({ ...onDemand, max_children: 1 }), admin);
    await office.launch({ event: id, overrides: {}, now: 5 });
    await expect(office.launch({ event: id, overrides: {}, now: 5 })).rejects.toThrow(
      'Failed to launch event: Maximum of 1 job already running for event: Minutely',
    );
  });
});

describe('the office', () => {
  test('a write that is not confirmed ends the term, and the next office has only what was stored', async () => {
    const world = new OfficeWorld();
    const primary = await world.primary('p1');
    world.stores.get('p1')?.failNextCommit(new Error('connection lost'), 'before');
    await expect(officeOf(primary).createEvent(newEvent({ title: 'lost' }), admin)).rejects.toMatchObject({
      code: 'unavailable',
    });
    expect(primary.office()).toBeUndefined();
    await world.clock.advanceSettling(5_000);
    expect(officeOf(primary).state.events.size).toBe(0);
  });

  test('the setup records and the bootstrap key are made once', async () => {
    const world = new OfficeWorld();
    const first = await world.primary('p1');
    const { state } = officeOf(first);
    expect([...state.plugins.newestFirst()].map((plugin) => plugin.id).sort()).toEqual([
      'shellplug',
      'testplug',
      'urlplug',
    ]);
    expect(state.keyByHash('hash of bootstrap')?.privileges).toEqual({ admin: 1 });
    await first.stop();
    const second = await world.primary('p2');
    expect(officeOf(second).state.api_keys.size).toBe(1);
    expect(officeOf(second).state.plugins.size).toBe(3);
    await second.stop();
  });

  test('nothing runs after a node has stopped', async () => {
    const world = new OfficeWorld();
    const primary = await world.primary('p1');
    const worker = await world.worker('w1', 'p1');
    await worker.work();
    const id = await officeOf(primary).createEvent(newEvent(), admin);
    await officeOf(primary).launch({ event: id, overrides: {}, now: 5 });
    await world.settle();
    await primary.stop();
    await worker.die();
    expect(world.clock.pending).toBe(0);
  });
});
