import { describe, expect, test } from '@jest/globals';
import {
  admin,
  dispatchedJob,
  newEvent,
  officeOf,
  OfficeWorld,
  onDemand,
  runningJob,
  TestWorker,
} from '../support/office-world.js';

describe('workers', () => {
  test('a restarted worker has lost the runs of its earlier boot', async () => {
    const { world, office, worker, job } = await runningJob();
    await worker.die();
    await world.worker('w1', 'p1', 'another boot');
    await world.settle();
    expect(await office.completedJob(job)).toMatchObject({
      code: 1,
      description: "Aborted Job: Server 'w1' shut down unexpectedly.",
    });
  });

  test('a run that was claimed but never reported is found out when the worker restarts', async () => {
    const { world, office, worker, job } = await dispatchedJob();
    worker.report = () => undefined;
    await worker.work();
    expect(worker.claimed).toEqual([job]);
    expect(office.activeJob(job)?.state).toBe('dispatched');
    await worker.die();
    await world.worker('w1', 'p1', 'another boot');
    expect((await office.completedJob(job))?.description).toContain('shut down unexpectedly');
  });

  test('a result on its way saves a job whose worker is gone', async () => {
    const world = new OfficeWorld();
    const first = await world.primary('p1');
    const worker = await world.worker('w1', 'p1');
    await worker.work();
    const id = await officeOf(first).createEvent(newEvent(onDemand), admin);
    const job = (await officeOf(first).launch({ event: id, overrides: {}, now: 5 })).ids[0] ?? '';
    await world.settle();
    await first.stop();
    await worker.settle(job);
    await worker.die();
    const second = await world.primary('p2');
    await world.worker('w1', 'p2', 'another boot');
    await world.settle();
    expect(await officeOf(second).completedJob(job)).toMatchObject({ code: 0 });
    await second.stop();
  });

  test('a silent worker gets no jobs, its jobs are shown as silent, and are lost in the end', async () => {
    const { world, office, id, job } = await runningJob();
    const told: string[] = [];
    office.watchJob(job, { onJob: ({ state }) => told.push(state), onLog: () => undefined });
    await world.clock.advanceSettling(5_000);
    expect(office.activeJob(job)?.state).toBe('silent');
    expect(told).toEqual(['running', 'silent']);
    await expect(office.launch({ event: id, overrides: {}, now: 5 })).rejects.toThrow(
      'Could not find any servers',
    );
    await world.clock.advanceSettling(116_000);
    expect(await office.completedJob(job)).toMatchObject({ special_shutdown: true, code: 1 });
    expect(office.state.servers.size).toBe(0);
    expect((await office.history(undefined, 0, 10)).length).toBe(1);
  });

  test('a leaving worker hands on what it has not started, and keeps what it has', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const [leaving, staying] = [await world.worker('w1', 'p1'), await world.worker('w2', 'p1')];
    const fields = { ...onDemand, algo: 'prefer_first' as const, max_children: 2 };
    const id = await office.createEvent(newEvent(fields), admin);
    const launch = async () => (await office.launch({ event: id, overrides: {}, now: 5 })).ids[0] ?? '';
    const started = await launch();
    await leaving.work();
    await leaving.leave();
    const next = await launch();
    expect(office.activeJob(next)).toMatchObject({ state: 'dispatched', hostname: 'w2' });
    expect(office.activeJob(started)).toMatchObject({ state: 'running', hostname: 'w1' });
    await staying.work();
    expect([leaving.claimed, staying.claimed]).toEqual([[started], [next]]);
  });

  /** A worker that has started a job says that it leaves, and is gone; the job's process is not. */
  const leftBehind = async () => {
    const left = await runningJob();
    await left.worker.leave();
    const held = [...left.worker.held];
    await left.worker.die();
    return { ...left, held };
  };

  test('a job that a leaving worker leaves behind is silent, and goes on with its next boot', async () => {
    const { world, office, job, held } = await leftBehind();
    expect(office.activeJob(job)).toMatchObject({ state: 'running', hostname: 'w1' });
    await world.clock.advanceSettling(100_000);
    expect(office.activeJob(job)?.state).toBe('silent');
    const next = new TestWorker(world, 'w1', 'another boot');
    for (const [id, run] of held) next.held.set(id, run);
    await next.connect('p1');
    expect(office.activeJob(job)).toMatchObject({ state: 'running', hostname: 'w1' });
    for (let second = 0; second < 100; second += 1) {
      next.beat();
      await world.clock.advanceSettling(1_000);
    }
    expect(office.activeJob(job)?.state).toBe('running');
    expect(next.received.filter(({ type }) => type === 'abort')).toEqual([]);
    await next.settle(job);
    expect(await office.completedJob(job)).toMatchObject({ code: 0, complete: 1 });
    expect((await office.history(undefined, 0, 10)).length).toBe(1);
  });

  test('a job left behind by a worker that never comes back is lost in the end', async () => {
    const { world, office, job } = await leftBehind();
    await world.clock.advanceSettling(119_000);
    expect(office.activeJob(job)?.state).toBe('silent');
    await world.clock.advanceSettling(2_000);
    expect(await office.completedJob(job)).toMatchObject({ code: 1, special_shutdown: true });
    expect(office.state.servers.size).toBe(0);
  });

  test('a job that ended while its worker was away needs only its result', async () => {
    const { world, office, job, held } = await leftBehind();
    const next = new TestWorker(world, 'w1', 'another boot');
    for (const [id, run] of held) next.held.set(id, run);
    await next.settle(job);
    await next.connect('p1');
    expect(await office.completedJob(job)).toMatchObject({ code: 0 });
    expect((await office.history(undefined, 0, 10)).length).toBe(1);
  });

  test.each([
    ['is handed on by a worker that leaves', async (worker: TestWorker) => worker.leave()],
    [
      'moves on from a worker that is lost',
      async (worker: TestWorker, world: OfficeWorld, other: TestWorker) => {
        await worker.die();
        for (let second = 0; second < 125; second += 1) {
          other.beat();
          await world.clock.advanceSettling(1_000);
        }
      },
    ],
  ])('a job without a process %s, and runs once, under its own id', async (_case, goAway) => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const [first, second] = [await world.worker('w1', 'p1'), await world.worker('w2', 'p1')];
    const fields = { ...onDemand, algo: 'prefer_first' as const, max_children: 1 };
    const id = await office.createEvent(newEvent(fields), admin);
    const job = (await office.launch({ event: id, overrides: {}, now: 5 })).ids[0] ?? '';
    expect(office.activeJob(job)).toMatchObject({ state: 'dispatched', hostname: 'w1' });
    await goAway(first, world, second);
    expect(office.activeJob(job)).toMatchObject({ state: 'dispatched', hostname: 'w2' });
    await second.work();
    await first.work();
    expect([first.claimed, second.claimed]).toEqual([[], [job]]);
    await second.settle(job);
    expect(await office.completedJob(job)).toMatchObject({ code: 0, hostname: 'w2' });
  });

  test('a job without a process and without another server ends as lost', async () => {
    const { office, worker, job } = await dispatchedJob();
    await worker.leave();
    expect(await office.completedJob(job)).toMatchObject({
      code: 1,
      description: "Aborted Job: Server 'w1' shut down unexpectedly.",
    });
    expect(office.state.jobs.size).toBe(0);
  });

  test('runs of a worker that comes back after its jobs were given up are ended', async () => {
    const { world, office, worker, job } = await runningJob();
    await world.clock.advanceSettling(125_000);
    await worker.connect('p1');
    expect(worker.received).toContainEqual({
      type: 'abort',
      job,
      attempt: 1,
      kind: 'manual',
      reason: 'The job has ended',
    });
    await worker.settle(job);
    expect((await office.history(undefined, 0, 10)).length).toBe(1);
  });
});
