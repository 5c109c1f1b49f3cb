import { expect, test } from '@jest/globals';
import { spoolResult } from '@carillon/testkit';
import { Harness, jobFields, primaryUrl } from './support/harness.js';

const finished = async (harness: Harness, id = 'j1'): Promise<void> => {
  await harness.dispatch(jobFields(id));
  const process = await harness.launcher.process(harness.launcher.launched.length + 1);
  process.exit(0);
  await harness.settle();
};

test('while the queue is away results wait on disk, in hello, and are handed in once it is back', async () => {
  const harness = new Harness();
  await harness.worker.start();
  harness.resultsAway = true;
  await finished(harness);
  await harness.clock.advanceSettling(30_000);
  expect((await harness.spool.list()).length).toBe(1);
  expect(harness.logs.jobs()).toEqual(['j1']);
  await harness.elect();
  expect(harness.primary.hellos.values[0]?.runs).toMatchObject([{ job: 'j1', attempt: 1 }]);
  harness.resultsAway = false;
  await harness.clock.advanceSettling(2000);
  expect(harness.results.values.length).toBe(1);
  expect(await harness.spool.list()).toEqual([]);
  expect(harness.logs.jobs()).toEqual([]);
  expect(harness.primary.ofType('settled')).toEqual([{ type: 'settled', job: 'j1', attempt: 1 }]);
  await harness.worker.stop();
  expect(harness.clock.pending).toBe(0);
});

test('a result is never on the queue before its log is stored', async () => {
  const harness = new Harness();
  await harness.worker.start();
  harness.archive.away = true;
  await finished(harness);
  await harness.clock.advanceSettling(10_000);
  expect(harness.results.values.length).toBe(0);
  harness.archive.away = false;
  await harness.clock.advanceSettling(2000);
  expect(harness.results.values.length).toBe(1);
  expect(await harness.archive.text('j1')).toContain('# End of log.');
  await harness.worker.stop();
});

test('a log that cannot be read does not hold up its result', async () => {
  const harness = new Harness();
  harness.logs.compressed = async function* () {
    yield* [];
    throw new Error('EIO');
  };
  await harness.worker.start();
  await finished(harness);
  expect(harness.results.values.length).toBe(1);
  await harness.worker.stop();
});

test('a spool that cannot be written does not hold up a result', async () => {
  const harness = new Harness();
  harness.spool.put = () => Promise.reject(new Error('ENOSPC'));
  await harness.worker.start();
  await finished(harness);
  expect(harness.results.values.length).toBe(1);
  await harness.worker.stop();
});

test('a new boot hands in what the old one left, with its log, before it says hello', async () => {
  const harness = new Harness();
  harness.resultsAway = true;
  harness.archive.away = true;
  const first = harness.worker;
  await first.start();
  await finished(harness);
  const stopped = first.stop();
  await harness.clock.advanceSettling(60_000);
  await stopped;
  expect(harness.results.values.length).toBe(0);
  expect((await harness.spool.list()).length).toBe(1);

  await harness.elect();
  const second = harness.newWorker();
  const starting = second.start();
  await harness.clock.advanceSettling(5000);
  expect(harness.primary.hellos.values.length).toBe(0);
  harness.archive.away = false;
  harness.resultsAway = false;
  await harness.clock.advanceSettling(5000);
  await starting;
  expect(harness.results.values.map((result) => result.job)).toEqual(['j1']);
  expect(await harness.archive.text('j1')).toContain('# End of log.');
  expect(await harness.spool.list()).toEqual([]);
  await harness.settle();
  expect(harness.primary.hellos.values).toMatchObject([{ runs: [], node: { boot: second.boot } }]);
  expect(second.boot).not.toBe(first.boot);
  await second.stop();
  expect(harness.clock.pending).toBe(0);
});

test('a log that is already archived is not replaced by nothing', async () => {
  const harness = new Harness();
  await harness.spool.put(spoolResult('j9'));
  await harness.archive.put(
    'j9',
    (async function* () {
      yield* [];
    })(),
    60,
  );
  harness.archive.expireSec.clear();
  await harness.worker.start();
  expect(harness.results.values.map((result) => result.job)).toEqual(['j9']);
  expect(harness.archive.expireSec.has('j9')).toBe(false);
  await harness.worker.stop();
});

test('a worker stopped while the store is away leaves the result in the spool and does not hang', async () => {
  const harness = new Harness();
  await harness.elect(primaryUrl);
  await harness.worker.start();
  harness.resultsAway = true;
  await finished(harness);
  const stopped = harness.worker.stop();
  await harness.clock.advanceSettling(20_000);
  await stopped;
  expect((await harness.spool.list()).length).toBe(1);
  expect(harness.primary.ofType('settled')).toEqual([]);
  expect(harness.clock.pending).toBe(0);
});

test('a new boot ends what is left of runs that died with the old one, and stores their logs', async () => {
  const harness = new Harness();
  for (const job of ['j1', 'j2']) {
    const log = await harness.logs.open(job);
    await log.write(`what ${job} said\n`);
  }
  // Only the file of this one was left behind.
  await harness.archive.put('j2', harness.logs.compressed('j2'), 60);
  await harness.worker.start();
  expect(await harness.archive.text('j1')).toBe('what j1 said\n');
  expect(await harness.archive.text('j2')).toBe('what j2 said\n');
  expect(harness.archive.expireSec.get('j2')).toBe(60);
  expect(harness.logs.jobs()).toEqual([]);
  // The other one ended well: what it may have started on purpose goes on.
  expect(harness.launcher.swept).toEqual(['n1:j1-*']);
  await harness.worker.stop();
});
