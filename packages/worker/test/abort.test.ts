import { describe, expect, test } from '@jest/globals';
import { deferred } from '@carillon/testkit';
import { Harness, jobFields } from './support/harness.js';

const aborted = (reason: string) => ({
  code: 1,
  description: `Job Aborted: ${reason}`,
  abort_reason: reason,
  abort: 'manual',
});

const running = async (): Promise<Harness> => {
  const harness = new Harness();
  await harness.elect();
  await harness.worker.start();
  await harness.dispatch(jobFields('j1'));
  await harness.launcher.process();
  await harness.settle();
  return harness;
};
const abort = (harness: Harness, reason: string, attempt = 1): Promise<void> => {
  harness.primary.send({ type: 'abort', job: 'j1', attempt, kind: 'manual', reason });
  return harness.settle();
};

describe('abort', () => {
  test('SIGTERM ends it; the reason stands even if it reports success while dying', async () => {
    const harness = await running();
    const process = await harness.launcher.process();
    process.ignoresTerm = true;
    await abort(harness, 'Manually aborted by user: joe');
    expect(process.signals).toEqual(['SIGTERM']);
    process.say('{"complete":1,"code":0}\n');
    process.exit(0);
    await harness.results.reached(1);
    expect(harness.results.values[0]?.outcome).toEqual(aborted('Manually aborted by user: joe'));
    expect(harness.launcher.swept).toEqual(['n1:j1-1']);
    await harness.worker.stop();
    expect(harness.clock.pending).toBe(0);
  });

  test('repeats are harmless: one SIGTERM, the first reason', async () => {
    const harness = await running();
    const process = await harness.launcher.process();
    process.ignoresTerm = true;
    await abort(harness, 'first');
    await abort(harness, 'second');
    expect(process.signals).toEqual(['SIGTERM']);
    await harness.clock.advanceSettling(10_000);
    expect(process.signals).toEqual(['SIGTERM', 'SIGKILL']);
    await harness.results.reached(1);
    expect(harness.results.values[0]?.outcome).toEqual(aborted('first'));
    await abort(harness, 'third');
    await harness.worker.stop();
  });

  test('the rest of the group gets the rest of the kill timeout, then SIGKILL', async () => {
    const harness = await running();
    const process = await harness.launcher.process();
    process.survivors = 2;
    await abort(harness, 'why');
    await harness.clock.advanceSettling(9000);
    expect(process.signals).toEqual(['SIGTERM']);
    expect(harness.results.values.length).toBe(0);
    await harness.clock.advanceSettling(1100);
    expect(process.signals).toEqual(['SIGTERM', 'SIGKILL']);
    expect(harness.results.values.length).toBe(1);
    await harness.worker.stop();
    expect(harness.clock.pending).toBe(0);
  });

  test('the run ends as soon as the last of the group has gone', async () => {
    const harness = await running();
    const process = await harness.launcher.process();
    process.survivors = 1;
    await abort(harness, 'why');
    await harness.clock.advanceSettling(500);
    expect(harness.results.values.length).toBe(0);
    process.survivors = 0;
    await harness.clock.advanceSettling(50);
    expect(harness.results.values.length).toBe(1);
    await harness.worker.stop();
  });

  test('what survives SIGKILL is named in the log and in the result', async () => {
    const harness = await running();
    const process = await harness.launcher.process();
    harness.launcher.strays = [4711, 4712];
    await abort(harness, 'why');
    await harness.clock.advanceSettling(1900);
    expect(harness.results.values.length).toBe(0);
    await harness.clock.advanceSettling(200);
    const warning = 'Processes of this job are still alive: 4711, 4712';
    expect(harness.results.values[0]?.outcome).toEqual({ ...aborted('why'), warning });
    expect(await harness.archive.text('j1')).toContain(`\n# ${warning}\n\n# Job failed at `);
    expect(process.signals).toEqual(['SIGTERM']);
    await harness.worker.stop();
    expect(harness.clock.pending).toBe(0);
  });

  test('strays that die of SIGKILL are not worth a word', async () => {
    const harness = await running();
    harness.launcher.strays = [4711];
    await abort(harness, 'why');
    harness.launcher.strays = [];
    await harness.clock.advanceSettling(100);
    expect(harness.results.values[0]?.outcome).toEqual(aborted('why'));
    await harness.worker.stop();
  });

  test('another attempt or an unknown job is not meant', async () => {
    const harness = await running();
    await abort(harness, 'why', 2);
    harness.primary.send({ type: 'abort', job: 'constructor', attempt: 1, kind: 'manual', reason: 'why' });
    await harness.settle();
    const process = await harness.launcher.process();
    expect(process.signals).toEqual([]);
    process.exit(0);
    await harness.worker.stop();
  });

  test('while the start is being prepared: no process is started', async () => {
    const harness = new Harness();
    await harness.elect();
    await harness.worker.start();
    const gate = deferred();
    harness.launcher.resolveUser = async () => {
      await gate.promise;
      return { uid: 1, gid: 1, username: 'x', home: '/', shell: '/bin/sh' };
    };
    await harness.dispatch(jobFields('j1', { uid: 'x' }));
    await harness.settle();
    await abort(harness, 'too soon');
    gate.resolve();
    await harness.results.reached(1);
    expect(harness.launcher.launched.length).toBe(0);
    expect(harness.results.values[0]?.outcome).toEqual(aborted('too soon'));
    expect(await harness.archive.text('j1')).toContain('# Error: Job Aborted: too soon\n');
    await harness.worker.stop();
  });

  test('while the process is being started: it is ended at once', async () => {
    const harness = new Harness();
    await harness.elect();
    await harness.worker.start();
    const gate = deferred();
    const launch = harness.launcher.launch.bind(harness.launcher);
    harness.launcher.launch = async (spec) => {
      await gate.promise;
      return launch(spec);
    };
    await harness.dispatch(jobFields('j1'));
    await harness.settle();
    await abort(harness, 'now');
    gate.resolve();
    await harness.results.reached(1);
    expect(harness.launcher.launched[0]?.signals).toEqual(['SIGTERM']);
    expect(harness.results.values[0]?.outcome).toEqual(aborted('now'));
    await harness.worker.stop();
  });
});
