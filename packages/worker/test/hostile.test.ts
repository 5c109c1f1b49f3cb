import { describe, expect, test } from '@jest/globals';
import { AbortKind, type PrimaryMessage } from '@carillon/contract';
import fc from 'fast-check';
import { Harness, jobFields, shellJob } from './support/harness.js';

/* Whatever a primary or a plugin says: the worker lives on, and the next job runs and hands in its result. */

const anyInteger = fc.oneof(fc.integer(), fc.constantFrom(-1, 0, 2 ** 53, -(2 ** 53)));
const kinds = AbortKind.anyOf.map((kind) => kind.const);

async function running(job = jobFields('j1')) {
  const harness = new Harness();
  await harness.elect();
  await harness.worker.start();
  await harness.dispatch(job);
  const process = await harness.launcher.process();
  await harness.settle();
  return { harness, process };
}

/** Ends what is left of the first job; a further one must run to its end. */
async function expectAlive(harness: Harness, started: number): Promise<void> {
  const before = harness.results.values.length;
  await harness.dispatch(jobFields('next'));
  const process = await harness.launcher.process(started + 1);
  process.say('{"complete":1,"code":0}\n');
  process.exit(0);
  await harness.results.reached(before + 1);
  expect(harness.results.values.at(-1)).toMatchObject({ job: 'next', outcome: { code: 0 } });
  expect(harness.logger.lines.filter(({ level }) => level === 'error')).toEqual([]);
}

describe('a primary that sends anything the schema allows', () => {
  const job = fc.oneof(fc.constant('j1'), fc.constantFrom('', '__proto__', 'next'), fc.string());
  const attempt = fc.oneof(fc.constant(1), fc.integer({ min: -5, max: 5 }));
  const setting = fc.oneof(
    fc.constantFrom(
      'timeout',
      'memory_limit',
      'cpu_limit',
      'log_max_size',
      '__proto__',
      'command',
      'params',
      'id',
    ),
    fc.string(),
  );
  const message: fc.Arbitrary<PrimaryMessage> = fc.oneof(
    fc.record({ type: fc.constant('welcome' as const), term: anyInteger }),
    fc.record({
      type: fc.constant('abort' as const),
      job: job.filter((id) => id !== 'j1'),
      attempt,
      kind: fc.constantFrom(...kinds),
      reason: fc.string(),
    }),
    fc.record({
      type: fc.constant('update' as const),
      job,
      attempt,
      settings: fc.dictionary(setting, fc.jsonValue(), { maxKeys: 4 }),
    }),
    fc.record({ type: fc.constant('watch' as const), job, offset: anyInteger }),
    fc.record({ type: fc.constant('unwatch' as const), job }),
  );

  test('stops neither the worker nor, by accident, its job', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 12 }), async (messages) => {
        const { harness, process } = await running();
        // As JSON, since that is how a `__proto__` key would come.
        for (const sent of messages) harness.primary.send(JSON.parse(JSON.stringify(sent)));
        process.say('a line\n');
        await harness.clock.advanceSettling(100);
        process.exit(0);
        await harness.results.reached(1);
        expect(harness.results.values[0]).toMatchObject({ job: 'j1', attempt: 1 });
        await expectAlive(harness, 1);
        await harness.worker.stop();
        expect(harness.clock.pending).toBe(0);
      }),
      { numRuns: 100 },
    );
  }, 60_000);
});

describe('a plugin that writes anything', () => {
  const key = fc.oneof(
    fc.constantFrom(
      ...[
        'complete',
        'code',
        'description',
        'progress',
        'perf',
        'table',
        'html',
        'label',
        'chain',
        'chain_data',
      ],
      ...[
        'chain_params',
        'update_event',
        'notify_success',
        'notify_fail',
        'abort',
        '__proto__',
        'id',
        'unknown',
      ],
    ),
    fc.string(),
  );
  const line = fc.oneof(
    fc.dictionary(key, fc.jsonValue(), { maxKeys: 6 }).map((report) => JSON.stringify(report)),
    fc
      .tuple(key, fc.jsonValue())
      .map(([name, value]) => `{${JSON.stringify(name)}:${JSON.stringify(value)}}`),
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('{', '{"complete":', '{}}', '[1]', '{"complete":1', `{"html":"${'<b>'.repeat(2_000)}"}`),
    fc.nat(300_000).map((length) => `{"x":"${'y'.repeat(length)}`),
  );
  const ending = fc.constantFrom('\n', '\r\n', '\r', '', '\n\n');

  test('has a result of bounded size, and the worker goes on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(line, ending), { maxLength: 12 }),
        fc.constantFrom<number | string>(0, 1, 255, 'SIGKILL'),
        fc.boolean(),
        async (lines, exit, isShell) => {
          const script = '#!/bin/sh\n:';
          const shell = shellJob('j1', script, { params: { script, json: 1, annotate: 1 } });
          const { harness, process } = await running(isShell ? shell : undefined);
          for (const [text, end] of lines) process.say(text + end);
          process.complain(lines.map(([text]) => text).join(''));
          process.exit(exit);
          await harness.results.reached(1);
          const [result] = harness.results.values;
          expect(result).toMatchObject({
            job: 'j1',
            attempt: 1,
            outcome: { description: expect.any(String) },
          });
          expect(['number', 'string']).toContain(typeof result?.outcome.code);
          expect(JSON.stringify(result).length).toBeLessThan(4_000_000);
          expect(Object.hasOwn(result?.reported ?? {}, '__proto__')).toBe(false);
          await expectAlive(harness, 1);
          await harness.worker.stop();
          expect(harness.clock.pending).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  }, 120_000);
});
