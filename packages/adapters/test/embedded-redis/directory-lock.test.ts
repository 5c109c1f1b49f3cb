import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@carillon/core';
import { FakeClock } from '@carillon/testkit';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SystemClock } from '../../src/clock/index.js';
import { DirectoryInUseError, DirectoryLock } from '../../src/embedded-redis/index.js';
import { identify, isProcessAlive, pidSpace } from '../../src/embedded-redis/process-table.js';
import { SystemRandom } from '../../src/random/index.js';

let directory: string;
let child: ChildProcess | undefined;
const random = new SystemRandom();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'carillon-lock-'));
});
afterEach(async () => {
  child?.kill('SIGKILL');
  child = undefined;
  await rm(directory, { recursive: true, force: true });
});

const acquire = (clock: Clock = new FakeClock()): Promise<DirectoryLock> =>
  DirectoryLock.acquire(directory, clock, random);

/** A process that lives until it is killed. */
async function startSleeper(): Promise<{ pid: number; end: () => Promise<void> }> {
  const sleeper = spawn(process.execPath, ['-e', 'process.stdout.write("."); setInterval(() => {}, 1e6)'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child = sleeper;
  await new Promise((resolve) => sleeper.stdout.once('data', resolve));
  const exited = new Promise<void>((resolve) => sleeper.once('exit', () => resolve()));
  const { pid } = sleeper;
  if (pid === undefined) throw new Error('no process');
  return {
    pid,
    end: async () => {
      sleeper.kill('SIGKILL');
      await exited;
    },
  };
}

const writeLock = (owner: object): Promise<void> =>
  writeFile(join(directory, 'node.lock'), JSON.stringify({ host: 'one', nonce: 'theirs', ...owner }));

describe('taking and releasing', () => {
  test('a second taker is refused with the remedy, and gets it after the release', async () => {
    const clock = new FakeClock();
    const first = await acquire(clock);
    await expect(acquire()).rejects.toThrow(DirectoryInUseError);
    await expect(acquire()).rejects.toThrow(/in use by another node.*CARILLON_DATA_DIR/);
    await first.release();
    await first.release();
    expect(clock.pending).toBe(0);
    expect(await readdir(directory)).toEqual([]);
    await (await acquire()).release();
  });

  test('of many takers at once exactly one succeeds', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => acquire()));
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(1);
    expect(await readdir(directory)).toEqual(['node.lock']);
  });

  test('makes the directory when there is none', async () => {
    const below = join(directory, 'a', 'b');
    const lock = await DirectoryLock.acquire(below, new FakeClock(), random);
    expect(JSON.parse(await readFile(join(below, 'node.lock'), 'utf8')).pid).toBe(process.pid);
    await lock.release();
  });
});

describe('an owner in the same name space', () => {
  test('is refused while it lives and succeeded when it was killed', async () => {
    const sleeper = await startSleeper();
    await writeLock(identify(sleeper.pid));
    await expect(acquire()).rejects.toThrow(`process ${sleeper.pid} on one`);
    await sleeper.end();
    await (await acquire()).release();
  });

  test('is not mistaken for a later process with its pid', async () => {
    const sleeper = await startSleeper();
    const identity = identify(sleeper.pid);
    expect(isProcessAlive(identity)).toBe(true);
    await writeLock({ ...identity, startTicks: String(Number(identity.startTicks) - 1) });
    await (await acquire()).release();
  });

  test('of many takers after a crash exactly one succeeds', async () => {
    await writeLock({ pid: 2 ** 22 + 1, startTicks: '1', space: pidSpace() });
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => acquire()));
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(1);
    expect(await readdir(directory)).toEqual(['node.lock']);
  });

  test('is succeeded also when its successor died half-way', async () => {
    const dead = { pid: 2 ** 22 + 1, startTicks: '1', space: pidSpace() };
    await writeLock({ ...dead, nonce: 'first' });
    await writeFile(join(directory, 'node.lock.after-first'), JSON.stringify({ ...dead, nonce: 'second' }));
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => acquire()));
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(1);
    expect(await readdir(directory)).toEqual(['node.lock']);
  });
});

describe('an owner whose pid means nothing here', () => {
  // Quick steps: only the number of looks counts.
  class HurriedClock extends SystemClock {
    looks = 0;
    override after(_delayMs: number, callback: () => void): () => void {
      this.looks += 1;
      return super.after(0, callback);
    }
  }

  test.each([
    [
      'another container',
      JSON.stringify({ pid: 1, startTicks: '1', space: 'elsewhere', host: 'two', nonce: 'n' }),
    ],
    ['half a file', '{"pid":'],
    ['an empty file', ''],
    ['something else', '[1,2]'],
  ])('is succeeded when it gives no sign of life: %s', async (_name, text) => {
    await writeFile(join(directory, 'node.lock'), text);
    const clock = new HurriedClock();
    const lock = await acquire(clock);
    expect(clock.looks).toBeGreaterThan(10);
    await lock.release();
  });

  test('is refused when it touches its lock', async () => {
    await writeLock({ pid: 1, startTicks: '1', space: 'elsewhere' });
    const clock = new HurriedClock();
    const touching = clock.every(1, () => {
      const now = new Date(Date.now() + 1_000 * clock.looks);
      utimes(join(directory, 'node.lock'), now, now).catch(() => undefined);
    });
    await expect(acquire(clock)).rejects.toThrow(DirectoryInUseError);
    touching();
  });

  test('an owner touches its lock every second', async () => {
    const clock = new FakeClock(1_000_000);
    const lock = await acquire(clock);
    clock.advance(1_000);
    const path = join(directory, 'node.lock');
    while ((await stat(path)).mtimeMs !== 1_001_000) await new Promise((resolve) => setImmediate(resolve));
    await lock.release();
  });
});
