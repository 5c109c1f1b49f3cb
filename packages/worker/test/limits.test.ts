import type { JobFields } from '@carillon/contract';
import { describe, expect, test } from '@jest/globals';
import type { ScriptedProcess } from '@carillon/testkit';
import { Harness, jobFields, startMs, workerSettings } from './support/harness.js';

const megabyte = 1_048_576;

const running = async (
  more: Record<string, unknown>,
  harness = new Harness(),
  attempt = 1,
): Promise<{ harness: Harness; process: ScriptedProcess }> => {
  await harness.elect();
  await harness.worker.start();
  await harness.dispatch(jobFields('j1', more), attempt);
  const process = await harness.launcher.process();
  await harness.settle();
  return { harness, process };
};
const ended = async (harness: Harness): Promise<unknown> => {
  await harness.results.reached(1);
  await harness.worker.stop();
  expect(harness.clock.pending).toBe(0);
  return harness.results.values[0]?.outcome;
};
const aborted = (kind: string, reason: string) => ({
  code: 1,
  description: `Job Aborted: ${reason}`,
  abort_reason: reason,
  abort: kind,
});
const update = (harness: Harness, settings: Partial<JobFields>): Promise<void> => {
  harness.primary.send({ type: 'update', job: 'j1', attempt: 1, settings });
  return harness.settle();
};

describe('run time', () => {
  test('to the millisecond', async () => {
    const { harness, process } = await running({ timeout: 5400 });
    await harness.clock.advanceSettling(5_399_999);
    expect(process.signals).toEqual([]);
    await harness.clock.advanceSettling(1);
    expect(process.signals).toEqual(['SIGTERM']);
    expect(await ended(harness)).toEqual(
      aborted('timeout', 'Exceeded maximum run time (1 hour, 30 minutes)'),
    );
  });

  test('setting the wall clock ends nothing', async () => {
    const { harness, process } = await running({ timeout: 60 });
    harness.clock.jump(3_600_000);
    await harness.clock.advanceSettling(59_000);
    expect(process.signals).toEqual([]);
    await harness.clock.advanceSettling(1000);
    expect(await ended(harness)).toMatchObject({ abort: 'timeout' });
  });

  test('a retry goes on counting from the first start', async () => {
    const timeStart = startMs / 1000 - 50;
    const { harness, process } = await running({ timeout: 60, time_start: timeStart }, undefined, 2);
    await harness.clock.advanceSettling(9999);
    expect(process.signals).toEqual([]);
    await harness.clock.advanceSettling(1);
    expect(await ended(harness)).toMatchObject({ abort: 'timeout' });
    expect(harness.results.values[0]?.time_start).toBe(timeStart);
  });

  test.each([
    ['shorter than the time so far: at once', 5, 0],
    ['shorter', 20, 10_000],
    ['longer', 120, 110_000],
  ])('changed while it runs: %s', async (_name, timeout, afterMs) => {
    const { harness, process } = await running({ timeout: 60 });
    await harness.clock.advanceSettling(10_000);
    await update(harness, { timeout });
    if (afterMs > 0) {
      await harness.clock.advanceSettling(afterMs - 1);
      expect(process.signals).toEqual([]);
      await harness.clock.advanceSettling(1);
    }
    expect(process.signals).toEqual(['SIGTERM']);
    expect(await ended(harness)).toMatchObject({ abort: 'timeout' });
  });

  test('switched off while it runs', async () => {
    const { harness, process } = await running({ timeout: 60 });
    await update(harness, { timeout: 0 });
    await harness.clock.advanceSettling(100_000);
    expect(process.signals).toEqual([]);
    process.exit(0);
    await ended(harness);
  });

  test('a process that has exited kept it, although its late output is still read', async () => {
    const { harness, process } = await running({ timeout: 10 });
    await harness.clock.advanceSettling(9950);
    process.say('{"complete":1}\n');
    await harness.settle();
    process.exit(0, true);
    await harness.clock.advanceSettling(1000);
    expect(await ended(harness)).toEqual({ code: 0, description: '' });
  });
});

describe('memory and CPU', () => {
  const sample = async (harness: Harness, process: ScriptedProcess, cpu: number, mem: number) => {
    harness.launcher.samples.set(process.pid, { cpu, mem });
    await harness.clock.advanceSettling(1000);
  };

  test('at once without a time to sustain', async () => {
    const { harness, process } = await running({ memory_limit: 200 * megabyte });
    await sample(harness, process, 0, 200 * megabyte);
    expect(process.signals).toEqual([]);
    await sample(harness, process, 0, 200 * megabyte + 1);
    expect(await ended(harness)).toEqual(aborted('memory', 'Exceeded memory limit of 200 MB'));
  });

  test('a burst of CPU at the start of a process does not count', async () => {
    const limits = { ...workerSettings().limits, cpuGraceSec: 3 };
    const { harness, process } = await running({ cpu_limit: 100 }, new Harness({ limits }));
    for (let second = 0; second < 2; second += 1) await sample(harness, process, 400, 0);
    expect(process.signals).toEqual([]);
    await sample(harness, process, 400, 0);
    expect(await ended(harness)).toEqual(aborted('cpu', 'Exceeded CPU limit of 100%'));
  });

  test('only when exceeded without a break', async () => {
    const { harness, process } = await running({ cpu_limit: 100, cpu_sustain: 3 });
    for (const cpu of [150, 150, 150, 99, 150, 150, 150]) {
      await sample(harness, process, cpu, 0);
      expect(process.signals).toEqual([]);
    }
    await sample(harness, process, 150, 0);
    expect(await ended(harness)).toEqual(aborted('cpu', 'Exceeded CPU limit of 100% for over 3 seconds'));
  });

  test("the worker's defaults count for jobs that have no limit", async () => {
    const limits = { ...workerSettings().limits, memoryBytes: 1024 * megabyte, memorySustainSec: 1 };
    const { harness, process } = await running({}, new Harness({ limits }));
    await sample(harness, process, 0, 1025 * megabyte);
    expect(process.signals).toEqual([]);
    await sample(harness, process, 0, 1025 * megabyte);
    expect(await ended(harness)).toEqual(
      aborted('memory', 'Exceeded memory limit of 1 GB for over 1 second'),
    );
  });

  test('of both at one look memory is named; no second signal, the first reason stays', async () => {
    const { harness, process } = await running({ memory_limit: 1, cpu_limit: 1, timeout: 60 });
    process.ignoresTerm = true;
    await sample(harness, process, 50, 50);
    await sample(harness, process, 50, 50);
    await harness.clock.advanceSettling(8000);
    expect(process.signals).toEqual(['SIGTERM']);
    await harness.clock.advanceSettling(1000);
    expect(process.signals).toEqual(['SIGTERM', 'SIGKILL']);
    expect(await ended(harness)).toMatchObject({ abort: 'memory' });
  });

  test('a changed limit counts at the next sample', async () => {
    const { harness, process } = await running({ memory_limit: 100 });
    await sample(harness, process, 0, 50);
    await update(harness, { memory_limit: 40 });
    await sample(harness, process, 0, 50);
    expect(await ended(harness)).toMatchObject({ abort_reason: 'Exceeded memory limit of 40 bytes' });
  });

  test('samples reach the primary within two seconds of the start', async () => {
    const { harness, process } = await running({});
    harness.launcher.samples.set(process.pid, { cpu: 7, mem: 9 });
    await harness.clock.advanceSettling(2000);
    const runs = harness.primary.ofType('beat').flatMap((beat) => beat.runs);
    expect(runs.at(-1)).toMatchObject({ job: 'j1', cpu: { current: 7 }, mem: { current: 9 } });
    process.exit(0);
    await ended(harness);
  });
});

describe('log size', () => {
  test('ended as the output arrives; nothing more is logged, messages still count', async () => {
    const { harness, process } = await running({ log_max_size: 2000 });
    process.ignoresTerm = true;
    process.say(`${'x'.repeat(1000)}\n`);
    await harness.settle();
    expect(process.signals).toEqual([]);
    process.say(`${'x'.repeat(1000)}\n`);
    await harness.settle();
    expect(process.signals).toEqual(['SIGTERM']);
    process.say(`too much\n{"progress":0.5}\n`);
    await harness.settle();
    process.exit(0);
    expect(await ended(harness)).toEqual(aborted('log', 'Exceeded log file size limit of 1.9 K'));
    expect(await harness.archive.text('j1')).not.toContain('too much');
    expect(harness.results.values[0]?.reported).toEqual({ progress: 0.5 });
  });

  test('counts also while the process is dying of something else', async () => {
    const { harness, process } = await running({ log_max_size: 2000, timeout: 1 });
    process.ignoresTerm = true;
    await harness.clock.advanceSettling(1000);
    for (let n = 0; n < 10; n += 1) {
      process.say(`${'x'.repeat(1000)}\n`);
      await harness.settle();
    }
    process.exit(0);
    expect(await ended(harness)).toMatchObject({ abort: 'timeout' });
    expect(harness.results.values[0]?.log_file_size).toBeLessThan(3500);
  });

  test('a limit set below the present size counts at once', async () => {
    const { harness, process } = await running({});
    process.say(`${'x'.repeat(5000)}\n`);
    await harness.settle();
    await update(harness, { log_max_size: 4096 });
    expect(await ended(harness)).toMatchObject({ abort_reason: 'Exceeded log file size limit of 4 K' });
  });
});
