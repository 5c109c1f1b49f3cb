import { expect, test } from '@jest/globals';
import { deferred } from '@carillon/testkit';
import { Harness, jobFields } from './support/harness.js';

const running = async (count: number): Promise<Harness> => {
  const harness = new Harness();
  await harness.elect();
  await harness.worker.start();
  for (let n = 1; n <= count; n += 1) await harness.dispatch(jobFields(`j${n}`));
  await harness.launcher.process(count);
  await harness.settle();
  return harness;
};

test('a drained worker takes nothing new, lets jobs finish in the grace and aborts the rest', async () => {
  const harness = await running(2);
  const drained = harness.worker.drain(5000);
  await harness.settle();
  expect(harness.primary.ofType('draining').length).toBe(1);
  await harness.dispatch(jobFields('j3'));
  await harness.settle();
  expect(harness.claims.calls.length).toBe(2);
  (await harness.launcher.process(1)).exit(0);
  await harness.clock.advanceSettling(4999);
  expect(harness.results.values.length).toBe(1);
  expect(harness.launcher.launched[1]?.signals).toEqual([]);
  await harness.clock.advanceSettling(1);
  await drained;
  expect(harness.launcher.launched[1]?.signals).toEqual(['SIGTERM']);
  expect(harness.results.values.map(({ job, outcome }) => [job, outcome.description])).toEqual([
    ['j1', expect.stringContaining('exited')],
    ['j2', 'Job Aborted: Shutting down server'],
  ]);
  expect(harness.worker.isConnected).toBe(false);
  expect(harness.clock.pending).toBe(0);
});

test('it ends as soon as the last job has', async () => {
  const harness = await running(1);
  const drained = harness.worker.drain(3_600_000);
  await harness.settle();
  (await harness.launcher.process()).exit(0);
  await drained;
  expect(harness.results.values.length).toBe(1);
  expect(harness.clock.pending).toBe(0);
});

test('stop during a drain ends the grace', async () => {
  const harness = await running(1);
  const drained = harness.worker.drain(3_600_000);
  await harness.settle();
  await harness.worker.stop();
  await drained;
  expect(harness.results.values[0]?.outcome.abort_reason).toBe('Shutting down server');
  expect(harness.clock.pending).toBe(0);
});

test('a job claimed while the worker stops is ended without a process', async () => {
  const harness = new Harness();
  await harness.worker.start();
  const gate = deferred();
  harness.claims.hold = gate.promise;
  await harness.dispatch(jobFields('j1'));
  await harness.settle();
  const stopped = harness.worker.stop();
  await harness.settle();
  gate.resolve();
  await stopped;
  expect(harness.launcher.launched.length).toBe(0);
  expect(harness.results.values[0]?.outcome.abort_reason).toBe('Shutting down server');
});

test('a process that cannot be killed does not keep a worker from stopping', async () => {
  const harness = await running(1);
  const process = await harness.launcher.process();
  process.signalGroup = () => true;
  const stopped = harness.worker.stop();
  await harness.clock.advanceSettling(30_000);
  await stopped;
  expect(harness.results.values.length).toBe(0);
  process.exit(0);
  await harness.clock.advanceSettling(10_000);
});

test('a worker that never started stops, and stopping twice is one thing', async () => {
  const harness = new Harness();
  const { worker } = harness;
  await worker.stop();
  await worker.stop();
  await worker.start();
  await harness.dispatch(jobFields('j1'));
  await harness.settle();
  expect(harness.claims.calls.length).toBe(0);
  expect(harness.clock.pending).toBe(0);
});
