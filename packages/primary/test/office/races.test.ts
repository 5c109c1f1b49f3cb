import { describe, expect, test } from '@jest/globals';
import { deferred } from '@carillon/testkit';
import type { JobFields } from '@carillon/contract';
import { launch, oneWorker } from '../support/one-worker.js';
import { admin, officeOf, OfficeWorld } from '../support/office-world.js';

describe('draining queues', () => {
  test('a queued job that was launched and has ended meanwhile is not launched again', async () => {
    const world = new OfficeWorld();
    const primary = await world.primary('p1');
    const office = officeOf(primary);
    const first = await launch(primary, { title: 'first', queue: 1 });
    const second = await launch(primary, { title: 'second', queue: 1 });
    const store = world.stores.get('p1');
    const commit = store?.commit.bind(store);
    if (store === undefined || commit === undefined) throw new Error('no store');
    const answer = deferred();
    store.commit = async (session, changes) => {
      await commit(session, changes);
      if (changes.some((change) => change.type === 'dispatch' && change.run.job === first))
        await answer.promise;
    };
    const worker = await world.worker('w1', 'p1');
    await worker.work();
    // The drain for the new worker waits for the launch of the first; the queue of the second is drained beside it.
    const event = office.activeJob(second)?.event ?? '';
    await office.updateEvent(event, { notes: 'changed' }, { abortJobs: false }, admin);
    await world.settle();
    await worker.settle(second);
    expect(await office.completedJob(second)).toMatchObject({ code: 0 });
    answer.resolve();
    await world.settle();
    expect(worker.claimed).toEqual([second, first]);
    expect([...office.activeJobs()].map((job) => job.id)).toEqual([first]);
    await primary.stop();
  });
});

describe('a lost worker', () => {
  test('loses its jobs also when the store fails once while they are being ended', async () => {
    const { world, primary, worker } = await oneWorker();
    await worker.work();
    const job = await launch(primary);
    await world.settle();
    let failures = 0;
    const hasResult = world.queue.hasResult.bind(world.queue);
    world.queue.hasResult = (run) => {
      failures += 1;
      return failures === 1 ? Promise.reject(new Error('timed out')) : hasResult(run);
    };
    await world.clock.advanceSettling(125_000);
    expect(await officeOf(primary).completedJob(job)).toMatchObject({ special_shutdown: true });
    expect(officeOf(primary).state.servers.size).toBe(0);
  });

  test('that comes back while its jobs are being ended keeps the others', async () => {
    const { world, primary, worker } = await oneWorker();
    await worker.work();
    await launch(primary, { title: 'one' });
    const other = await launch(primary, { title: 'two' });
    await world.settle();
    const answer = deferred();
    world.queue.hasResult = async () => {
      await answer.promise;
      return false;
    };
    await world.clock.advanceSettling(121_000);
    await worker.connect('p1');
    answer.resolve();
    await world.settle();
    expect(officeOf(primary).activeJob(other)).toMatchObject({ state: 'running' });
    await worker.settle(other);
    expect(await officeOf(primary).completedJob(other)).toMatchObject({ code: 0 });
  });

  test('does not cost the result of a run the primary never heard of', async () => {
    const world = new OfficeWorld();
    const answer = deferred();
    const consume = world.queue.consumeResults.bind(world.queue);
    world.queue.consumeResults = (handler, concurrency) =>
      consume(async (result) => {
        await answer.promise;
        await handler(result);
      }, concurrency);
    const primary = await world.primary('p1');
    const worker = await world.worker('w1', 'p1');
    worker.report = () => undefined;
    await worker.work();
    const job = await launch(primary);
    await world.settle();
    await worker.settle(job);
    await worker.die();
    await world.worker('w1', 'p1', 'another boot');
    answer.resolve();
    await world.settle();
    expect(await officeOf(primary).completedJob(job)).toMatchObject({ code: 0 });
  });
});

describe('an abort', () => {
  test('whose answer from the store was lost is carried out all the same', async () => {
    const { world, primary, worker } = await oneWorker();
    const job = await launch(primary);
    const store = world.stores.get('p1');
    const revoke = store?.revoke.bind(store);
    if (store === undefined || revoke === undefined) throw new Error('no store');
    let calls = 0;
    store.revoke = async (session, run) => {
      const answer = await revoke(session, run);
      calls += 1;
      if (calls === 1) throw new Error('timed out');
      return answer;
    };
    const office = officeOf(primary);
    await expect(office.abortJob(job, admin)).rejects.toMatchObject({ code: 'unavailable' });
    await worker.work();
    worker.beat();
    await world.clock.advanceSettling(2_500);
    worker.beat();
    await world.clock.advanceSettling(2_600);
    expect(worker.claimed).toEqual([]);
    expect(await office.completedJob(job)).toMatchObject({ code: 1, abort_reason: expect.any(String) });
  });

  test('reaches a run that its worker reports only after a change of the primary', async () => {
    const { world, primary, worker } = await oneWorker();
    worker.report = () => undefined;
    await worker.work();
    const job = await launch(primary);
    await world.settle();
    await officeOf(primary).abortJob(job, admin);
    await primary.stop();
    const second = await world.primary('p2');
    // The answer to the claim is still under way when the worker says hello.
    worker.held.clear();
    await worker.connect('p2');
    const isAbort = ({ type }: { type: string }) => type === 'abort';
    worker.received.length = 0;
    Reflect.deleteProperty(worker, 'report');
    worker.report({ job, attempt: 1, pid: 4711 });
    await world.settle();
    expect(worker.received.filter(isAbort)).toHaveLength(1);
    await second.stop();
  });
});

describe('an archived log', () => {
  test('that breaks off is a failure of its reader alone', async () => {
    const { world, primary, worker } = await oneWorker();
    await worker.work();
    const job = await launch(primary);
    await world.settle();
    world.archive.get = () =>
      Promise.resolve(
        (async function* (): AsyncGenerator<Uint8Array> {
          yield Uint8Array.of(0x1f, 0x8b);
          await Promise.reject(new Error('connection lost'));
        })(),
      );
    const seen: (JobFields & { state: string })[] = [];
    const ended = new Promise<void>((resolve) => {
      officeOf(primary).watchJob(job, {
        onJob: (view) => void seen.push(view),
        onLog: ({ end }) => {
          if (end) resolve();
        },
      });
    });
    await worker.settle(job);
    await ended;
    expect(seen.at(-1)).toMatchObject({ state: 'completed', code: 0 });
  });
});
