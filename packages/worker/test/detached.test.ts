import type { JobFields } from '@carillon/contract';
import type { ScriptedProgram } from '@carillon/testkit';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Harness, jobFields, shellJob, startMs } from './support/harness.js';

const detachedJob = (id = 'j1', more: Record<string, unknown> = {}): JobFields =>
  jobFields(id, { detached: 1, ...more });

/** A worker with one detached job. */
const running = async (job = detachedJob()): Promise<{ harness: Harness; program: ScriptedProgram }> => {
  const harness = new Harness();
  await harness.elect();
  await harness.worker.start();
  await harness.dispatch(job);
  const program = await harness.detached.program();
  await harness.settle();
  return { harness, program };
};

/** The worker is killed and started again; `meanwhile` happens in between. */
const restart = async (harness: Harness, meanwhile: () => void = () => undefined): Promise<void> => {
  harness.detached.crash();
  meanwhile();
  await harness.newWorker().start();
  await harness.settle();
};

/** What the job itself put in its log. */
const output = async (harness: Harness, job = 'j1'): Promise<string> => {
  const log = (await harness.archive.text(job)) ?? '';
  return log.slice(log.indexOf('\n\n') + 2, log.lastIndexOf('\n# Job '));
};

describe('a detached job', () => {
  test('runs like another, and success needs no report', async () => {
    const { harness, program } = await running();
    expect(harness.launcher.launched).toEqual([]);
    expect(program.spec.name).toBe('j1-1');
    expect(JSON.parse(program.spec.stdin(2000))).toMatchObject({ id: 'j1', detached: 1, pid: 2000 });
    expect(harness.primary.ofType('run').at(-1)?.run).toMatchObject({ job: 'j1', pid: 2000 });
    program.say('hello\n{"progress":0.5}\n');
    await harness.settle();
    expect(harness.primary.ofType('run').at(-1)?.run.progress).toBe(0.5);
    await harness.clock.advanceSettling(5000);
    program.exit(0, startMs + 4000);
    await harness.settle();
    expect(harness.results.values).toMatchObject([
      { job: 'j1', pid: 2000, outcome: { code: 0, description: '' }, time_end: startMs / 1000 + 4 },
    ]);
    expect(await output(harness)).toBe('hello\n');
    expect(harness.detached.kept.size).toBe(0);
    await harness.worker.stop();
    expect(harness.clock.pending).toBe(0);
  });

  test.each<[string, JobFields, (program: ScriptedProgram) => void, unknown]>([
    [
      'plugin that fails',
      detachedJob(),
      (program) => program.exit(3),
      { code: 3, description: 'Plugin exited with code: 3' },
    ],
    [
      'plugin ended by a signal',
      detachedJob(),
      (program) => program.exit('SIGKILL'),
      { code: 'SIGKILL', description: 'Plugin exited with code: SIGKILL' },
    ],
    [
      'plugin that reports and then fails',
      detachedJob(),
      (program) => {
        program.say('{"complete":1,"code":0,"description":"fine"}\n');
        program.exit(9);
      },
      { code: 0, description: 'fine' },
    ],
    [
      'script that fails',
      shellJob('j1', '#!/bin/sh\nx', { detached: 1 }),
      (program) => {
        program.complain('no such thing\n');
        program.exit(7);
      },
      { code: 7, description: 'Script exited with code: 7: no such thing' },
    ],
  ])('%s', async (_name, job, act, outcome) => {
    const { harness, program } = await running(job);
    act(program);
    await harness.settle();
    expect(harness.results.values.map((result) => result.outcome)).toEqual([outcome]);
    await harness.worker.stop();
  });

  test('that cannot be started fails with the reason', async () => {
    const harness = new Harness();
    await harness.worker.start();
    harness.detached.failure = 'Command not found: /opt/plugin';
    await harness.dispatch(detachedJob());
    await harness.results.reached(1);
    expect(harness.results.values[0]?.outcome).toEqual({
      code: 1,
      description: 'Child spawn error: /opt/plugin --id $JOB_ID: Command not found: /opt/plugin',
    });
    await harness.worker.stop();
  });
});

describe('after a crash of the worker', () => {
  test('the run is held before hello, with what was reported, and its log has every byte once', async () => {
    const { harness, program } = await running();
    program.say('one\n{"progress":0.25,"perf":"a=1"}\n{"half');
    program.complain('err\n');
    await harness.clock.advanceSettling(1000);
    program.say('":1}\ntwo\n');
    await harness.clock.advanceSettling(300);
    const boots = harness.primary.hellos.values.length;
    await restart(harness, () => program.say('three\n'));
    await harness.primary.hellos.reached(boots + 1);
    expect(harness.primary.hellos.values.at(-1)?.runs).toMatchObject([
      { job: 'j1', attempt: 1, pid: 2000, progress: 0.25, time_start: startMs / 1000 },
    ]);
    program.say('{"progress":0.5}\nfour');
    await harness.clock.advanceSettling(100);
    expect(harness.primary.ofType('run').at(-1)?.run.progress).toBe(0.5);
    program.exit(0);
    await harness.settle();
    expect(harness.results.values).toMatchObject([
      { outcome: { code: 0 }, time_start: startMs / 1000, reported: { progress: 0.5, perf: 'a=1' } },
    ]);
    expect(await output(harness)).toBe('one\nerr\n{"half":1}\ntwo\nthree\nfour\n');
    expect(harness.detached.launched.length).toBe(1);
    expect(harness.launcher.swept).toEqual([]);
    expect(harness.detached.kept.size).toBe(0);
  });

  test('wherever the crashes fall, log and reports are those of a worker that never died', async () => {
    const piece = fc.constantFrom(
      'text\n',
      '{"progress":0.5}\n',
      '{"x":1}\n',
      '{"per',
      'f":"a=1"}\n',
      '  ',
      '40%\n',
    );
    const step = fc.record({ piece, waitMs: fc.constantFrom(0, 400, 1100), crash: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const seen = await Promise.all(
          [false, true].map(async (mayCrash) => {
            const { harness, program } = await running();
            for (const { piece: text, waitMs, crash } of steps) {
              program.say(text);
              await harness.clock.advanceSettling(waitMs);
              if (crash && mayCrash) await restart(harness);
            }
            program.exit(0);
            await harness.settle();
            return { log: await output(harness), results: harness.results.values.map((one) => one.reported) };
          }),
        );
        expect(seen[1]).toEqual(seen[0]);
      }),
      { numRuns: 40 },
    );
  });

  test('what has ended meanwhile is settled at once, with the time of its end', async () => {
    const { harness, program } = await running(shellJob('j1', 'x', { detached: true }));
    program.complain('cannot do it\n');
    await harness.clock.advanceSettling(1000);
    await restart(harness, () => {
      program.say('last words\n');
      program.exit(5, startMs + 2500);
    });
    expect(harness.results.values).toMatchObject([
      {
        job: 'j1',
        time_end: startMs / 1000 + 2.5,
        outcome: { code: 5, description: 'Script exited with code: 5: cannot do it' },
      },
    ]);
    expect(await output(harness)).toBe('cannot do it\nlast words\n');
  });

  test('what is being delivered already is not handed in a second time', async () => {
    const { harness, program } = await running();
    harness.archive.away = true;
    await restart(harness, () => program.exit(0));
    expect(await harness.spool.list()).toHaveLength(1);
    harness.archive.away = false;
    await harness.clock.advanceSettling(5000);
    expect(harness.results.values).toHaveLength(1);
    expect(await harness.archive.text('j1')).toContain('# End of log.');
  });

  test('an abort ends the process as before: SIGTERM, and SIGKILL after the kill timeout', async () => {
    const { harness, program } = await running();
    await restart(harness);
    program.ignoresTerm = true;
    harness.primary.send({ type: 'abort', job: 'j1', attempt: 1, kind: 'manual', reason: 'enough' });
    await harness.clock.advanceSettling(9999);
    expect(program.signals).toEqual(['SIGTERM']);
    await harness.clock.advanceSettling(1);
    await harness.settle();
    expect(program.signals).toEqual(['SIGTERM', 'SIGKILL']);
    expect(harness.results.values[0]?.outcome.abort_reason).toBe('enough');
    expect(harness.launcher.swept).toEqual(['n1:j1-1']);
  });

  test('an abort that was under way goes on, also when the process has ended of it meanwhile', async () => {
    const { harness, program } = await running();
    program.ignoresTerm = true;
    harness.primary.send({ type: 'abort', job: 'j1', attempt: 1, kind: 'manual', reason: 'enough' });
    await harness.settle();
    await restart(harness);
    expect(program.signals).toEqual(['SIGTERM', 'SIGTERM']);
    await restart(harness, () => program.exit(0));
    await harness.clock.advanceSettling(100);
    expect(harness.results.values.map((result) => result.outcome.description)).toEqual([
      'Job Aborted: enough',
    ]);
  });

  test('its limits go on: the run time counts from its own start, memory from the samples of the new boot', async () => {
    const timed = await running(detachedJob('j1', { timeout: 60 }));
    await timed.harness.clock.advanceSettling(50_000);
    await timed.harness.worker.stop();
    await timed.harness.newWorker().start();
    await timed.harness.settle();
    await timed.harness.clock.advanceSettling(9_999);
    expect(timed.program.signals).toEqual([]);
    await timed.harness.clock.advanceSettling(1);
    await timed.harness.settle();
    expect(timed.harness.results.values[0]?.outcome).toMatchObject({
      abort: 'timeout',
      abort_reason: 'Exceeded maximum run time (1 minute)',
    });

    const large = await running(detachedJob('j1', { memory_limit: 1000 }));
    await large.harness.worker.stop();
    await large.harness.newWorker().start();
    await large.harness.settle();
    large.harness.launcher.samples.set(large.program.pid, { cpu: 0, mem: 1001 });
    await large.harness.clock.advanceSettling(1000);
    expect(large.harness.results.values[0]?.outcome).toMatchObject({ abort: 'memory' });
  });

  test('its CPU and memory are sampled on, and what was measured before counts', async () => {
    const { harness, program } = await running();
    const sampled = async (mem: number): Promise<void> => {
      harness.launcher.samples.set(program.pid, { cpu: 5, mem });
      await harness.clock.advanceSettling(1000);
    };
    await sampled(100);
    program.say('output\n');
    await sampled(300);
    await restart(harness);
    await sampled(200);
    program.exit(0);
    await harness.settle();
    expect(harness.results.values[0]?.mem).toMatchObject({ min: 100, max: 300, current: 200 });
  });

  test('settings changed by the primary are kept', async () => {
    const { harness, program } = await running();
    harness.primary.send({ type: 'update', job: 'j1', attempt: 1, settings: { timeout: 5 } });
    await harness.settle();
    expect(JSON.parse(program.notes.run)).toMatchObject({ job: { id: 'j1', timeout: 5 } });
  });

  test('a result that was spooled is handed in once, and its run is not taken up again', async () => {
    const { harness, program } = await running();
    harness.resultsAway = true;
    program.exit(0);
    await harness.settle();
    expect(harness.detached.kept.size).toBe(0);
    // As if the crash had come before anything was removed.
    harness.detached.kept.set('j1-1', program);
    harness.resultsAway = false;
    await restart(harness);
    await harness.clock.advanceSettling(10_000);
    expect(harness.detached.kept.size).toBe(0);
    expect(harness.logger.lines.map(({ message }) => message)).not.toContain(
      'A detached run of an earlier boot goes on',
    );
    // Once by each boot: the first one has only lost its disk here, and results may come twice.
    expect(new Set(harness.results.values.map(({ job, attempt }) => `${job}-${attempt}`)).size).toBe(1);
    expect(harness.worker.runCount).toBe(0);
  });

  test.each<[string, (harness: Harness, program: ScriptedProgram) => void]>([
    ['whose program never ran', (harness) => (harness.detached.adopt = async () => undefined)],
    ['whose notes are damaged', (_harness, program) => (program.notes = { run: '{}', checkpoint: '' })],
  ])('a run %s is not held, and what may be left of it is ended', async (_name, damage) => {
    const { harness, program } = await running();
    damage(harness, program);
    const hellos = harness.primary.hellos.values.length;
    await restart(harness);
    await harness.primary.hellos.reached(hellos + 1);
    expect(harness.primary.hellos.values.at(-1)?.runs).toEqual([]);
    expect(harness.launcher.swept).toEqual(['n1:j1-*']);
    expect(harness.detached.kept.size).toBe(0);
    expect(await harness.archive.text('j1')).toContain('# Job ID: j1');
  });
});

describe('a worker that stops', () => {
  test('waits for attached jobs alone; the next boot goes on with the detached ones', async () => {
    const { harness, program } = await running();
    await harness.dispatch(jobFields('j2'));
    const attached = await harness.launcher.process();
    program.say('before\n');
    const drained = harness.worker.drain(5000);
    await harness.clock.advanceSettling(1000);
    program.say('{"progress":0.5}\nduring\n');
    await harness.settle();
    expect(harness.primary.ofType('run').at(-1)?.run.progress).toBe(0.5);
    attached.exit(0);
    await drained;
    expect(harness.results.values.map(({ job }) => job)).toEqual(['j2']);
    expect(program.signals).toEqual([]);
    expect(program.isFollowed).toBe(false);
    expect(harness.worker.runCount).toBe(0);
    expect(harness.clock.pending).toBe(0);
    program.say('between\n');
    await harness.newWorker().start();
    program.say('after\n');
    program.exit(0);
    await harness.results.reached(2);
    expect(await output(harness)).toBe('before\nduring\nbetween\nafter\n');
    await harness.worker.stop();
    expect(harness.clock.pending).toBe(0);
  });

  test('at once does not end a detached job either', async () => {
    const { harness, program } = await running();
    await harness.worker.stop();
    expect(program.signals).toEqual([]);
    expect(harness.results.values).toEqual([]);
    expect(harness.detached.kept.size).toBe(1);
    expect(harness.clock.pending).toBe(0);
  });

  test('sees an abort through', async () => {
    const { harness, program } = await running();
    program.ignoresTerm = true;
    harness.primary.send({ type: 'abort', job: 'j1', attempt: 1, kind: 'manual', reason: 'enough' });
    await harness.settle();
    const stopped = harness.worker.stop();
    await harness.clock.advanceSettling(10_000);
    await stopped;
    expect(program.signals).toEqual(['SIGTERM', 'SIGKILL']);
    expect(harness.results.values[0]?.outcome.abort_reason).toBe('enough');
    expect(harness.clock.pending).toBe(0);
  });

  test('before it has taken everything over leaves the rest alone', async () => {
    const { harness, program } = await running();
    await harness.worker.stop();
    const next = harness.newWorker();
    const started = next.start();
    await next.stop();
    await started;
    expect(program.isFollowed).toBe(false);
    expect(harness.detached.kept.size).toBe(1);
    expect(harness.clock.pending).toBe(0);
  });
});

describe('a worker that retires', () => {
  test('takes nothing more and sees even detached jobs to their end', async () => {
    const { harness, program } = await running();
    let hasEnded = false;
    const retired = harness.worker.retire().then(() => {
      hasEnded = true;
    });
    await harness.dispatch(jobFields('j2'));
    await harness.clock.advanceSettling(3_600_000);
    expect(harness.primary.ofType('draining')).toHaveLength(1);
    expect(harness.launcher.launched).toEqual([]);
    expect(hasEnded).toBe(false);
    program.exit(0);
    await retired;
    expect(harness.results.values.map(({ job }) => job)).toEqual(['j1']);
    expect(harness.clock.pending).toBe(0);
  });

  test('from its start takes over what there is, and says that it takes no jobs', async () => {
    const { harness, program } = await running();
    await harness.worker.stop();
    const next = harness.newWorker();
    const hellos = harness.primary.hellos.values.length;
    void next.start();
    const retired = next.retire();
    await harness.primary.hellos.reached(hellos + 1);
    expect(harness.primary.hellos.values.at(-1)).toMatchObject({ draining: true, runs: [{ job: 'j1' }] });
    program.exit(0);
    await retired;
    expect(harness.results.values).toHaveLength(1);
    expect(harness.clock.pending).toBe(0);
  });

  test('is stopped like another, and leaves detached jobs alone then', async () => {
    const { harness, program } = await running();
    const retired = harness.worker.retire();
    await harness.settle();
    await harness.worker.stop();
    await retired;
    expect(program.signals).toEqual([]);
    expect(harness.detached.kept.size).toBe(1);
    expect(harness.clock.pending).toBe(0);
  });
});
