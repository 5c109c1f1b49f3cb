import { gzipSync } from 'node:zlib';
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

const archive = (harness: Harness, job: string, text: string): Promise<void> =>
  harness.archive.put(
    job,
    (async function* () {
      yield gzipSync(text);
    })(),
    60,
  );

test('the late log of a run that has been replaced does not replace a newer one', async () => {
  const harness = new Harness();
  await harness.worker.start();
  await harness.dispatch(jobFields('j1'));
  const process = await harness.launcher.process(1);
  // Cut off meanwhile: the next attempt has run elsewhere.
  harness.claims.dispatch({ job: 'j1', attempt: 2 }, jobFields('j1'));
  await archive(harness, 'j1', 'of attempt 2\n');
  process.exit(0);
  await harness.settle();
  expect(harness.results.values.length).toBe(1);
  expect(await harness.archive.text('j1')).toBe('of attempt 2\n');
  expect(harness.logs.jobs()).toEqual([]);
  await harness.worker.stop();
});

test('the late log of a job that has ended as lost is stored when there is no other', async () => {
  const harness = new Harness();
  await harness.worker.start();
  await harness.dispatch(jobFields('j1'));
  const process = await harness.launcher.process(1);
  harness.claims.forget('j1');
  process.exit(0);
  await harness.settle();
  expect(await harness.archive.text('j1')).toContain('# End of log.');
  await harness.worker.stop();
});

test('while it is unknown whether a run is current its result waits', async () => {
  const harness = new Harness();
  await harness.worker.start();
  const { isCurrent } = harness.claims;
  harness.claims.isCurrent = () => Promise.reject(new Error('the store is away'));
  await finished(harness);
  expect(harness.results.values.length).toBe(0);
  harness.claims.isCurrent = isCurrent;
  await harness.clock.advanceSettling(2000);
  expect(harness.results.values.length).toBe(1);
  expect(await harness.archive.text('j1')).toContain('# End of log.');
  await harness.worker.stop();
});

test('a new boot leaves a newer log of another attempt alone and stores one that goes on, each for itself', async () => {
  const harness = new Harness();
  for (const [job, text] of [
    ['j1', 'attempt 1, which said more than the next one\n'],
    ['j2', 'attempt 1\nattempt 2\n'],
    ['j3', 'attempt 1\n'],
    ['j4', 'whole\n'],
    ['j5', 'with a damaged one\n'],
    ['j6', 'not stored\n'],
  ] as const) {
    const log = await harness.logs.open(job);
    await log.write(text);
  }
  await archive(harness, 'j1', 'attempt 2\n');
  await archive(harness, 'j2', 'attempt 1\n');
  await archive(harness, 'j3', 'attempt 1\nattempt 2\n');
  await archive(harness, 'j4', 'whole\n');
  await harness.archive.put(
    'j5',
    (async function* () {
      yield Buffer.from('damaged');
    })(),
    60,
  );
  await harness.worker.start();
  expect(await harness.archive.text('j1')).toBe('attempt 2\n');
  expect(await harness.archive.text('j2')).toBe('attempt 1\nattempt 2\n');
  expect(await harness.archive.text('j3')).toBe('attempt 1\nattempt 2\n');
  expect(await harness.archive.text('j6')).toBe('not stored\n');
  expect(harness.launcher.swept).toEqual(['n1:j1-*', 'n1:j2-*', 'n1:j6-*']);
  // Kept until somebody has looked at the archive.
  expect(harness.logs.jobs()).toEqual(['j5']);
  await harness.worker.stop();
});
