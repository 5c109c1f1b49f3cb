import { expect, test } from '@jest/globals';
import { deferred } from '@carillon/testkit';
import { Harness, jobFields } from './support/harness.js';

const retryMs = 100;

test.each(['before', 'after'] as const)(
  'a claim whose answer is lost (%s it was granted) starts one process',
  async (when) => {
    const harness = new Harness();
    harness.claims.failures.push(when, when);
    await harness.worker.start();
    await harness.dispatch(jobFields('j1'));
    await harness.clock.advanceSettling(3 * retryMs);
    expect(harness.claims.calls.length).toBe(3);
    expect(new Set(harness.claims.calls.map((call) => call.nonce)).size).toBe(1);
    const process = await harness.launcher.process();
    process.exit(0);
    await harness.results.reached(1);
    expect(harness.launcher.launched.length).toBe(1);
    await harness.worker.stop();
  },
);

test('a late copy of a ticket starts nothing: while the run is held, and after it has ended', async () => {
  const harness = new Harness();
  await harness.worker.start();
  await harness.dispatch(jobFields('j1'));
  const process = await harness.launcher.process();
  await harness.settle();
  await harness.dispatch(jobFields('j1'));
  await harness.settle();
  expect(harness.claims.calls.length).toBe(1);
  process.exit(0);
  await harness.results.reached(1);
  await harness.settle();
  await harness.dispatch(jobFields('j1'));
  await harness.settle();
  expect(harness.claims.calls.length).toBe(2);
  expect(harness.claims.calls[1]?.nonce).not.toBe(harness.claims.calls[0]?.nonce);
  expect(harness.launcher.launched.length).toBe(1);
  expect(harness.results.values.length).toBe(1);
  await harness.worker.stop();
});

test('two deliveries at one time start one process', async () => {
  const harness = new Harness();
  const gate = deferred();
  harness.claims.hold = gate.promise;
  let handler: ((ticket: { job: string; attempt: number; term: number }) => Promise<void>) | undefined;
  const worker = harness.newWorker({
    tickets: {
      consumeTickets: (_node, given) => {
        handler = given;
        return { close: () => Promise.resolve() };
      },
    },
  });
  await worker.start();
  harness.claims.dispatch({ job: 'j1', attempt: 1 }, jobFields('j1'));
  const ticket = { job: 'j1', attempt: 1, term: 1 };
  const both = Promise.all([handler?.(ticket), handler?.(ticket)]);
  gate.resolve();
  await both;
  await harness.settle();
  expect(harness.launcher.launched.length).toBe(1);
  harness.launcher.launched[0]?.exit(0);
  await worker.stop();
});

test('a run that is not to be had is dropped', async () => {
  const harness = new Harness();
  await harness.worker.start();
  await harness.queue.addTicket('n1', { job: 'gone', attempt: 1, term: 1 });
  await harness.clock.advanceSettling(10 * retryMs);
  expect(harness.claims.calls.length).toBe(1);
  expect(harness.launcher.launched.length).toBe(0);
  await harness.worker.stop();
});

test('of attempts that wait for an earlier one on the same machine only the present one starts', async () => {
  const harness = new Harness();
  await harness.worker.start();
  await harness.dispatch(jobFields('j1'), 1);
  const first = await harness.launcher.process(1);
  // The worker was given up twice meanwhile, each time after it had claimed the next attempt.
  await harness.dispatch(jobFields('j1'), 2);
  await harness.settle();
  await harness.dispatch(jobFields('j1'), 3);
  await harness.settle();
  first.exit(0);
  (await harness.launcher.process(2)).exit(0);
  await harness.results.reached(2);
  await harness.settle();
  expect(harness.results.values.map(({ attempt }) => attempt)).toEqual([1, 3]);
  expect(harness.launcher.launched.length).toBe(2);
  await harness.worker.stop();
});

test('a run that had to wait starts also when it is not known whether it is still wanted', async () => {
  const harness = new Harness();
  await harness.worker.start();
  await harness.dispatch(jobFields('j1'), 1);
  const first = await harness.launcher.process(1);
  await harness.dispatch(jobFields('j1'), 2);
  await harness.settle();
  const { isCurrent } = harness.claims;
  harness.claims.isCurrent = async (run) => {
    if (run.attempt === 2) throw new Error('the store is away');
    return isCurrent.call(harness.claims, run);
  };
  first.exit(0);
  (await harness.launcher.process(2)).exit(0);
  await harness.settle();
  harness.claims.isCurrent = isCurrent;
  await harness.clock.advanceSettling(2000);
  expect(harness.results.values.map(({ attempt }) => attempt)).toEqual([1, 2]);
  await harness.worker.stop();
});
