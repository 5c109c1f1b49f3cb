import { describe, expect, test } from '@jest/globals';
import { deferred } from '@carillon/testkit';
import { launch, oneWorker } from '../support/one-worker.js';
import { admin, newEvent, officeOf, OfficeWorld } from '../support/office-world.js';
import { CarillonError, type JobResult } from '@carillon/contract';

const onDemand = { timing: false as const };

describe('a job that has not started', () => {
  test('leaves a worker of which a new primary learns only later that it is leaving', async () => {
    const world = new OfficeWorld();
    const first = await world.primary('p1');
    const leaving = await world.worker('w1', 'p1');
    const staying = await world.worker('w2', 'p1');
    await leaving.leave();
    await first.stop();
    const office = officeOf(await world.primary('p2'));
    await staying.connect('p2');
    await staying.work();
    const id = await office.createEvent(newEvent({ ...onDemand, algo: 'prefer_first' }), admin);
    const [job = ''] = (await office.launch({ event: id, overrides: {}, now: 5 })).ids;
    await world.settle();
    expect(office.activeJob(job)).toMatchObject({ state: 'dispatched', hostname: 'w1' });
    await leaving.connect('p2');
    await world.settle();
    expect(staying.claimed).toEqual([job]);
    await staying.settle(job);
    expect(await office.completedJob(job)).toMatchObject({ code: 0, hostname: 'w2' });
  });

  test('leaves a worker that stays for long also when the store fails once', async () => {
    const { world, primary, worker } = await oneWorker();
    const other = await world.worker('w2', 'p1');
    await other.work();
    const job = await launch(primary, { algo: 'prefer_first' });
    const store = world.stores.get('p1');
    const revoke = store?.revoke.bind(store);
    if (store === undefined || revoke === undefined) throw new Error('no store');
    let failures = 1;
    store.revoke = async (session, run) => {
      failures -= 1;
      if (failures >= 0) throw new Error('timed out');
      return revoke(session, run);
    };
    await worker.leave();
    await world.settle();
    if (!worker.isConnected) await worker.connect('p1');
    await world.pass(10_000, worker, other);
    expect(other.claimed).toEqual([job]);
  });

  test('is moved once when its worker says that it leaves and is gone at the same time', async () => {
    const { world, primary, worker } = await oneWorker();
    const other = await world.worker('w2', 'p1');
    const job = await launch(primary, { algo: 'prefer_first' });
    const store = world.stores.get('p1');
    const revoke = store?.revoke.bind(store);
    if (store === undefined || revoke === undefined) throw new Error('no store');
    const answer = deferred();
    let calls = 0;
    store.revoke = async (session, run) => {
      calls += 1;
      const isFirst = calls === 1;
      const revocation = await revoke(session, run);
      if (isFirst) await answer.promise;
      return revocation;
    };
    await worker.leave();
    // The primary does not hear of the claim.
    other.report = () => undefined;
    await other.work();
    await worker.die();
    await world.settle();
    expect(other.claimed).toEqual([job]);
    answer.resolve();
    await world.settle();
    expect(other.claimed).toEqual([job]);
    await other.settle(job);
    expect(await officeOf(primary).completedJob(job)).toMatchObject({ code: 0 });
  });

  test('does not end as lost when a server for it has come meanwhile', async () => {
    const { world, primary, worker } = await oneWorker();
    const job = await launch(primary);
    const answer = deferred();
    world.queue.hasResult = async () => {
      await answer.promise;
      return false;
    };
    await worker.leave();
    const other = await world.worker('w2', 'p1');
    await other.work();
    await world.settle();
    expect(other.claimed).toEqual([job]);
    answer.resolve();
    await world.settle();
    expect(officeOf(primary).activeJob(job)).toMatchObject({ state: 'running', hostname: 'w2' });
    await other.settle(job);
    expect(await officeOf(primary).completedJob(job)).toMatchObject({ code: 0 });
  });
});

describe('a job that waits for its time', () => {
  test('does not start on a server that is leaving then; one of a set ends when that stays so', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const workers = [await world.worker('w1', 'p1'), await world.worker('w2', 'p1')] as const;
    for (const worker of workers) await worker.work();
    const fields = { ...onDemand, multiplex: 1 as const, stagger: 10 };
    const id = await office.createEvent(newEvent(fields), admin);
    const [first = '', second = ''] = (await office.launch({ event: id, overrides: {}, now: 5 })).ids;
    await world.settle();
    await workers[0].settle(first);
    await workers[1].leave();
    await world.pass(60_000, ...workers);
    expect(office.activeJob(second)?.state).toBe('waiting');
    await world.pass(90_000, ...workers);
    expect(await office.completedJob(second)).toMatchObject({
      code: 1,
      description: 'Failed to launch job: No server is available for it: All Servers',
    });
  });
});

describe('a primary whose term is over', () => {
  test('does not swallow a result of a job it has never heard of', async () => {
    const world = new OfficeWorld();
    const consumers: ((result: JobResult) => Promise<void>)[] = [];
    const consume = world.queue.consumeResults.bind(world.queue);
    world.queue.consumeResults = (handler, concurrency) => {
      consumers.push(handler);
      return consume(handler, concurrency);
    };
    const deposed = await world.primary('p1');
    await deposed.stop();
    const office = officeOf(await world.primary('p2'));
    const worker = await world.worker('w1', 'p2');
    await worker.work();
    const id = await office.createEvent(newEvent(onDemand), admin);
    const [job = ''] = (await office.launch({ event: id, overrides: {}, now: 5 })).ids;
    await world.settle();
    const [late] = consumers;
    if (late === undefined) throw new Error('no consumer');
    await expect(late(resultOf(job))).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('does not drop a result before it knows that its memory is the truth', async () => {
    const { world, primary } = await oneWorker();
    const store = world.stores.get('p1');
    if (store === undefined) throw new Error('no store');
    store.failNextCommit(new Error('timed out'), 'before');
    await world.queue.addResult(resultOf('unknown'));
    await world.settle();
    expect(await world.queue.hasResult({ job: 'unknown', attempt: 1 })).toBe(true);
    expect(primary.office()).toBeUndefined();
    await world.clock.advanceSettling(10_000);
    expect(await world.queue.hasResult({ job: 'unknown', attempt: 1 })).toBe(false);
  });

  test('leaves the tickets of a worker alone that it has given up', async () => {
    const { world, primary } = await oneWorker();
    const store = world.stores.get('p1');
    if (store === undefined) throw new Error('no store');
    const discarded: string[] = [];
    world.queue.discardTickets = async (node) => void discarded.push(node);
    await world.clock.advanceSettling(118_000);
    store.setOutage(new Error('cut off'));
    await world.clock.advanceSettling(3_000);
    expect(primary.office()).toBeUndefined();
    expect(discarded).toEqual([]);
  });
});

const resultOf = (job: string): JobResult => ({
  job,
  attempt: 1,
  node: 'w1',
  hostname: 'w1',
  time_start: 1,
  time_end: 2,
  pid: 4711,
  outcome: { code: 0, description: '' },
  log_file_size: 0,
  reported: {},
});

describe('stepping down by request', () => {
  test('ends the term, leaves the lease to another node, and says who asked', async () => {
    const { world, primary: first, worker } = await oneWorker();
    const second = await world.primary('p2');
    const job = await launch(first);
    const { term } = officeOf(first).session;
    await officeOf(first).stepDown(5_000, admin);
    expect(first.office()).toBeUndefined();
    await world.settle();
    const office = officeOf(second);
    expect(office.session.term).toBeGreaterThan(term);
    await worker.connect('p2');
    expect(office.activeJob(job)).toMatchObject({ id: job });
    const { rows } = await office.activity(0, 5);
    expect(rows).toContainEqual(
      expect.objectContaining({ action: 'step_down', term, api_key: admin.id, api_title: admin.title }),
    );
    // Its own term is over: a second request reaches nobody, and the new primary stays.
    await world.pass(6_000, worker);
    expect(second.office()).toBe(office);
  });

  test('a node alone comes back when the quiet time is over', async () => {
    const { world, primary, worker } = await oneWorker();
    const { term } = officeOf(primary).session;
    await officeOf(primary).stepDown(5_000, admin);
    await world.pass(4_900, worker);
    expect(primary.office()).toBeUndefined();
    await world.pass(1_500, worker);
    expect(officeOf(primary).session.term).toBeGreaterThan(term);
  });

  test('is not done when it cannot be noted', async () => {
    const { world, primary } = await oneWorker();
    const store = world.stores.get('p1');
    if (store === undefined) throw new Error('no store');
    const office = officeOf(primary);
    store.commit = () => Promise.reject(new CarillonError('unavailable', 'Not confirmed'));
    await expect(office.stepDown(5_000, admin)).rejects.toThrow();
  });
});
