import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { Harness, jobFields, shellJob } from './support/harness.js';

const started = async (harness = new Harness()): Promise<Harness> => {
  await harness.elect();
  await harness.worker.start();
  return harness;
};
/** Runs one attempt; it says something and ends with an exit code. */
const attempt = async (
  harness: Harness,
  number: number,
  text: string,
  exitCode: number,
  more: Record<string, unknown>,
): Promise<void> => {
  const launched = harness.launcher.launched.length;
  await harness.dispatch(shellJob('j1', 'x', more), number);
  const process = await harness.launcher.process(launched + 1);
  process.say(text);
  await harness.settle();
  process.exit(exitCode);
  await harness.results.reached(number);
  await harness.settle();
};
const header = [
  '# Job ID: j1',
  '# Event Title: Event One',
  '# Hostname: box.local',
  '# Date/Time: 2024/01/02 03:04:05 (GMT+0)',
  '',
  '',
].join('\n');
const footer = '\n# Job completed successfully at 2024/01/02 03:04:05 (GMT+0).\n# End of log.\n';
const chunks = async function* (bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
};

describe('the log over all attempts', () => {
  test('a notice instead of the footer, then the header again', async () => {
    const harness = await started();
    await attempt(harness, 1, 'one\n', 7, { retries: 2, retry_delay: 2 });
    await attempt(harness, 2, 'two', 1, { retries: 1 });
    await attempt(harness, 3, 'three\n', 0, { retries: 0 });
    expect(await harness.archive.text('j1')).toBe(
      [
        `${header}one\n\n`,
        '# Job failed with error 7: Script exited with code: 7\n# 2 retries remain (2 sec delay)\n\n',
        `${header}two\n\n`,
        '# Job failed with error: Script exited with code: 1\n# 1 retries remain\n\n',
        `${header}three\n${footer}`,
      ].join(''),
    );
    expect(harness.logs.jobs()).toEqual([]);
    await harness.worker.stop();
    expect(harness.clock.pending).toBe(0);
  });

  test('continues on a worker that had no part in it', async () => {
    const harness = await started();
    await harness.archive.put('j1', chunks(gzipSync('elsewhere\n')), 60);
    await attempt(harness, 1, 'ignored\n', 1, { retries: 1 });
    await harness.archive.put('j1', chunks(gzipSync('elsewhere\n')), 60);
    await attempt(harness, 2, 'here\n', 0, {});
    expect(await harness.archive.text('j1')).toBe(`elsewhere\n${header}here\n${footer}`);
    await harness.worker.stop();
  });

  test.each<[string, (harness: Harness) => void, string]>([
    ['there is none', () => undefined, 'The archive has no such log'],
    [
      'the archive fails',
      (harness) => {
        harness.archive.get = () => Promise.reject(new Error('connection lost'));
      },
      'connection lost',
    ],
    [
      'it is damaged',
      (harness) => {
        harness.archive.get = async () => chunks(Buffer.from('no gzip'));
      },
      'incorrect header check',
    ],
  ])('%s: the attempt runs with a fresh log that says so', async (_name, damage, reason) => {
    const harness = await started();
    damage(harness);
    await harness.dispatch(shellJob('j1', 'x'), 2);
    (await harness.launcher.process()).exit(0);
    await harness.results.reached(1);
    expect(harness.results.values[0]?.outcome.code).toBe(0);
    Reflect.deleteProperty(harness.archive, 'get');
    const log = await harness.archive.text('j1');
    expect(log).toBe(
      `# The log of the earlier attempts could not be restored: ${reason}\n\n${header}${footer}`,
    );
    await harness.worker.stop();
  });

  test('an archive that never answers delays the start by 15 s at most', async () => {
    const harness = await started();
    harness.archive.get = () => new Promise(() => undefined);
    await harness.dispatch(shellJob('j1', 'x'), 2);
    await harness.clock.advanceSettling(14_999);
    expect(harness.launcher.launched.length).toBe(0);
    await harness.clock.advanceSettling(1);
    (await harness.launcher.process()).exit(0);
    await harness.results.reached(1);
    await harness.worker.stop();
    expect(harness.clock.pending).toBe(0);
  });

  test('whoever follows it gets every byte once, by offset', async () => {
    const harness = await started();
    let text = '';
    const follow = (): void => {
      for (const message of harness.primary.ofType('log')) {
        const skip = Buffer.byteLength(text) - message.offset;
        expect(skip).toBeGreaterThanOrEqual(0);
        text += Buffer.from(message.text).subarray(skip).toString();
      }
    };
    for (const [number, exitCode] of [
      [1, 1],
      [2, 1],
      [3, 0],
    ] as const) {
      await harness.dispatch(shellJob('j1', 'x', { retries: 3 - number }), number);
      const process = await harness.launcher.process(number);
      await harness.settle();
      harness.primary.send({ type: 'watch', job: 'j1', offset: Buffer.byteLength(text) });
      process.say(`output of ${number} →\n`);
      await harness.clock.advanceSettling(100);
      process.exit(exitCode);
      await harness.results.reached(number);
      await harness.settle();
      follow();
      expect(text).toBe(await harness.archive.text('j1'));
      expect(harness.primary.ofType('log').at(-1)?.end).toBe(number === 3);
    }
    await harness.worker.stop();
  });
});

describe('what is retried', () => {
  const notice = /# \d+ retries remain/;

  test('a failure to start', async () => {
    const harness = await started();
    harness.launcher.failure = 'Nope';
    await harness.dispatch(jobFields('j1', { command: '/no/such', retries: 1 }));
    await harness.results.reached(1);
    expect(await harness.archive.text('j1')).toContain(
      '\n# Job failed with error: Child spawn error: /no/such: Nope\n# 1 retries remain\n\n',
    );
    await harness.worker.stop();
  });

  test('an unknown user', async () => {
    const harness = await started();
    await harness.dispatch(jobFields('j1', { uid: 'ghost', retries: 1 }));
    await harness.results.reached(1);
    expect(await harness.archive.text('j1')).toMatch(notice);
    await harness.worker.stop();
  });

  test('not a success, and not what was aborted', async () => {
    const harness = await started();
    await attempt(harness, 1, '', 0, { retries: 5 });
    expect(await harness.archive.text('j1')).not.toMatch(notice);
    await harness.dispatch(jobFields('j2', { retries: 5, timeout: 1 }));
    await harness.launcher.process(2);
    await harness.clock.advanceSettling(1000);
    await harness.results.reached(2);
    expect(await harness.archive.text('j2')).not.toMatch(notice);
    expect(await harness.archive.text('j2')).toContain('# End of log.');
    await harness.worker.stop();
  });

  test('as many times as the settings say when it fails, not when it started', async () => {
    const harness = await started();
    await harness.dispatch(jobFields('j1', { retries: 0 }));
    const process = await harness.launcher.process();
    await harness.settle();
    harness.primary.send({
      type: 'update',
      job: 'j1',
      attempt: 1,
      settings: { retries: 4, retry_delay: 30 },
    });
    await harness.settle();
    process.exit(1);
    await harness.results.reached(1);
    expect(await harness.archive.text('j1')).toContain('# 4 retries remain (30 sec delay)\n');
    await harness.worker.stop();
  });
});

test('a worker that died in a later attempt stores the longer log at its next boot', async () => {
  const harness = new Harness();
  await harness.archive.put('j1', chunks(gzipSync('first\n')), 60);
  for (const [job, text] of [
    ['j1', 'first\nsecond, cut off'],
    ['j2', 'handed in'],
  ] as const) {
    const writer = await harness.logs.open(job);
    await writer.write(text);
    await writer.close();
  }
  await harness.archive.put('j2', chunks(gzipSync('handed in, and continued elsewhere')), 60);
  await harness.worker.start();
  expect(await harness.archive.text('j1')).toBe('first\nsecond, cut off');
  expect(await harness.archive.text('j2')).toBe('handed in, and continued elsewhere');
  expect(harness.launcher.swept).toEqual(['n1:j1-*']);
  expect(harness.logs.jobs()).toEqual([]);
  await harness.worker.stop();
});
