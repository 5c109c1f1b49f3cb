import { existsSync } from 'node:fs';
import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { LogArchive } from '@carillon/core';
import { FakeClock, logArchiveConformance } from '@carillon/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SystemClock } from '../../src/clock/index.js';
import { DirectoryLogArchive } from '../../src/log-archive/index.js';
import { expiryDay, isPastDay, jobOf, nameOf } from '../../src/log-archive/expiry-days.js';
import { listLine, useUpList } from '../../src/log-archive/expiry-list.js';
import { lifeHeader, lifeHeaderBytes, readLife } from '../../src/log-archive/life-header.js';
import { SystemRandom } from '../../src/random/index.js';

const dayS = 86_400;
const directories: string[] = [];
const freshDirectory = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'carillon-logs-'));
  directories.push(directory);
  return directory;
};
afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true });
});

for (const isLocal of [false, true]) {
  logArchiveConformance(`DirectoryLogArchive, ${isLocal ? 'local' : 'shared'}`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'carillon-logs-'));
    const archive = await DirectoryLogArchive.open(directory, new SystemClock(), new SystemRandom(), {
      isLocal,
    });
    return { archive, close: () => rm(directory, { recursive: true }) };
  });
}

test('a small log that cannot be put into its place leaves nothing behind', async () => {
  const directory = await freshDirectory();
  const options = { isLocal: true };
  const archive = await DirectoryLogArchive.open(directory, new FakeClock(), new SystemRandom(), options);
  await rm(join(directory, 'logs'), { recursive: true });
  await writeFile(join(directory, 'logs'), 'in the way');
  await expect(archive.put('j1', chunksOf('log'), 60)).rejects.toThrow('ENOTDIR');
  expect(await readdir(join(directory, 'drafts'))).toEqual([]);
});

async function openOne({ isLocal = false } = {}) {
  const directory = await freshDirectory();
  const clock = new FakeClock();
  const archive = await DirectoryLogArchive.open(directory, clock, new SystemRandom(), { isLocal });
  return { directory, clock, archive };
}

async function* chunksOf(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(Buffer.from(chunk));
}

async function textOf(archive: LogArchive, job: string): Promise<string | undefined> {
  const chunks = await archive.get(job);
  if (chunks === undefined) return undefined;
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

/** Files below a directory, by path. */
async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

describe('the files', () => {
  test('a log is one file that any gzip program unpacks, and one entry for the day of its end', async () => {
    const { directory, archive } = await openOne();
    const text = 'line\n'.repeat(1_000);
    await archive.put('jabc', chunksOf(gzipSync(text)), 90 * dayS);
    const files = await filesIn(directory);
    expect(files).toEqual(['expiry/2024-02-12/jabc', expect.stringMatching(/^logs\/[0-9a-f]{2}\/jabc\.gz$/)]);
    expect(gunzipSync(await readFile(join(directory, files[1] ?? ''))).toString()).toBe(text);
  });

  test('logs are spread over sub-folders', async () => {
    const { directory, archive } = await openOne();
    for (let index = 0; index < 60; index += 1) await archive.put(`j${index}`, chunksOf('x'), dayS);
    const folders = await readdir(join(directory, 'logs'));
    expect(folders.length).toBeGreaterThan(45);
  });

  test('they can be copied without their times, and read where they are put', async () => {
    const { directory, clock, archive } = await openOne();
    await archive.put('j1', chunksOf('text'), 10 * dayS);
    const copy = join(await freshDirectory(), 'copy');
    await cp(directory, copy, { recursive: true });
    clock.advance(9 * dayS * 1000);
    const other = await DirectoryLogArchive.open(copy, clock, new SystemRandom());
    expect(await textOf(other, 'j1')).toBe('text');
    clock.advance(dayS * 1000);
    expect(await textOf(other, 'j1')).toBeUndefined();
  });

  test('several nodes share them: of two puts at once one is read, whole', async () => {
    const { directory, clock, archive } = await openOne();
    const other = await DirectoryLogArchive.open(directory, clock, new SystemRandom());
    const texts = ['a'.repeat(300_000), 'b'.repeat(200_000)];
    await Promise.all([
      archive.put('j1', chunksOf(texts[0] ?? ''), dayS),
      other.put('j1', chunksOf(texts[1] ?? ''), dayS),
    ]);
    const read = await textOf(other, 'j1');
    expect(texts).toContain(read);
    expect(await textOf(archive, 'j1')).toBe(read);
    expect(await readdir(join(directory, 'drafts'))).toEqual([]);
  });

  test.each(['..', '.', 'a/b', '../../x', '__proto__', 'ü*?', '%2E'])(
    'the job %j is a name like any other',
    (job) =>
      (async () => {
        const { directory, archive } = await openOne();
        await archive.put(job, chunksOf('text'), dayS);
        expect(await textOf(archive, job)).toBe('text');
        expect((await filesIn(directory)).length).toBe(2);
        await archive.remove(job);
        expect(await filesIn(directory)).toEqual([]);
      })(),
  );

  test('a directory that cannot be used is refused with its name', async () => {
    const file = join(await freshDirectory(), 'file');
    await writeFile(file, '');
    await expect(DirectoryLogArchive.open(file, new FakeClock(), new SystemRandom())).rejects.toThrow(
      `The log archive ${file} cannot be written to: `,
    );
  });
});

describe('the sweep', () => {
  test('frees what ended on a day that is past, in steps, and nothing else', async () => {
    const { directory, clock, archive } = await openOne();
    for (let index = 0; index < 5; index += 1) await archive.put(`early${index}`, chunksOf('x'), dayS);
    await archive.put('late', chunksOf('x'), 5 * dayS);
    clock.advance(dayS * 1000);
    // Over, but the day is not.
    expect(await textOf(archive, 'early0')).toBeUndefined();
    expect(await archive.sweep(10)).toBe(0);
    expect((await filesIn(directory)).length).toBe(12);
    clock.advance(dayS * 1000);
    expect([await archive.sweep(3), await archive.sweep(3), await archive.sweep(3)]).toEqual([3, 2, 0]);
    expect(await filesIn(directory)).toEqual([
      expect.stringMatching(/^expiry\/.*\/late$/),
      expect.stringMatching(/late\.gz$/),
    ]);
    expect((await readdir(join(directory, 'expiry'))).length).toBe(1);
  });

  test('an entry that is out of date costs the log nothing', async () => {
    const { directory, clock, archive } = await openOne();
    await archive.put('j1', chunksOf('old'), dayS);
    // The second put leaves the entry of the first.
    await archive.put('j1', chunksOf('text'), 10 * dayS);
    clock.advance(3 * dayS * 1000);
    expect(await archive.sweep(10)).toBe(1);
    expect(await textOf(archive, 'j1')).toBe('text');
    clock.advance(8 * dayS * 1000);
    expect(await archive.sweep(10)).toBe(1);
    expect(await filesIn(directory)).toEqual([]);
  });

  test('drafts that a crash left are removed after a day', async () => {
    const { directory, clock, archive } = await openOne();
    const draft = join(directory, 'drafts', 'abandoned');
    await writeFile(draft, 'half');
    const touched = new Date(clock.nowMs());
    await utimes(draft, touched, touched);
    expect(await archive.sweep(10)).toBe(0);
    clock.advance(dayS * 1000);
    expect(await archive.sweep(10)).toBe(1);
    expect(await filesIn(directory)).toEqual([]);
  });

  test('a log that somebody put there by hand is shown, and never removed', async () => {
    const { directory, clock, archive } = await openOne();
    await archive.put('j1', chunksOf('ours'), dayS);
    const [, path = ''] = await filesIn(directory);
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), 'theirs');
    await archive.keepUntil('j1', 1);
    clock.advance(10 * dayS * 1000);
    await archive.sweep(10);
    expect(await textOf(archive, 'j1')).toBe('theirs');
  });
});

describe('small logs on a disk of this machine', () => {
  test('are lines of one list for the day of their end', async () => {
    const { directory, archive } = await openOne({ isLocal: true });
    for (const job of ['j1', 'ü/*', 'j3']) await archive.put(job, chunksOf('x'), 90 * dayS);
    const [list, ...logs] = await filesIn(directory);
    expect(list).toMatch(/^expiry\/2024-02-12\/\+[0-9a-f]{16}$/);
    expect(await readFile(join(directory, list ?? ''), 'utf8')).toBe('\nj1\n%C3%BC%2F%2A\nj3');
    expect(logs.length).toBe(3);
  });

  test('are freed by the sweep in steps, whoever wrote and listed them', async () => {
    const { directory, clock, archive } = await openOne({ isLocal: true });
    const local = { isLocal: true };
    const other = await DirectoryLogArchive.open(directory, clock, new SystemRandom(), local);
    const shared = await DirectoryLogArchive.open(directory, clock, new SystemRandom());
    for (const n of [1, 2, 3]) await archive.put(`own${n}`, chunksOf('x'), dayS);
    for (const n of [1, 2]) await other.put(`other${n}`, chunksOf('x'), dayS);
    await shared.put('shared', chunksOf('x'), dayS);
    await archive.put('late', chunksOf('x'), 9 * dayS);
    clock.advance(2 * dayS * 1000);
    expect([await archive.sweep(2), await other.sweep(2), await shared.sweep(9)]).toEqual([2, 2, 2]);
    expect(await filesIn(directory)).toEqual([
      expect.stringMatching(/^expiry\/.*\/\+/),
      expect.stringMatching(/late\.gz$/),
    ]);
    expect((await readdir(join(directory, 'expiry'))).length).toBe(1);
  });

  test('are kept when they are to live longer, and need not be there any more', async () => {
    const { directory, clock, archive } = await openOne({ isLocal: true });
    for (const job of ['longer', 'removed', 'again']) await archive.put(job, chunksOf('old'), dayS);
    await archive.keepUntil('longer', clock.nowMs() / 1000 + 10 * dayS);
    await archive.remove('removed');
    await archive.put('again', chunksOf('text'), 10 * dayS);
    clock.advance(3 * dayS * 1000);
    expect(await archive.sweep(10)).toBe(3);
    expect(await textOf(archive, 'longer')).toBe('old');
    expect(await textOf(archive, 'again')).toBe('text');
    clock.advance(9 * dayS * 1000);
    expect(await archive.sweep(10)).toBe(2);
    expect(await filesIn(directory)).toEqual([]);
  });

  test('an entry that was cut off does not spoil the next, and no rubbish stops the sweep', async () => {
    const { directory, clock, archive } = await openOne({ isLocal: true });
    await archive.put('j1', chunksOf('x'), dayS);
    const [list = ''] = await filesIn(directory);
    await appendFile(join(directory, list), '\n%C3');
    await archive.put('j2', chunksOf('x'), dayS);
    await appendFile(join(directory, list), `\n../x\n${'\0'.repeat(200_000)}`);
    clock.advance(2 * dayS * 1000);
    while ((await archive.sweep(3)) > 0);
    expect(await filesIn(directory)).toEqual([]);
  });
});

test('a list hands out every entry once, last one first, in steps of any size', async () => {
  const path = join(await freshDirectory(), '+list');
  const entry = fc.oneof(
    fc.stringMatching(/^[a-z]{1,20}$/),
    fc.integer({ min: 1, max: 255 }).map((n) => 'x'.repeat(n)),
  );
  const limits = fc.integer({ min: 1, max: 3_000 });
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 2_000 }), limits, async (entries, limit) => {
      await writeFile(path, entries.map(listLine).join(''));
      const seen: string[] = [];
      const counts: number[] = [];
      while (existsSync(path)) {
        counts.push(await useUpList(path, limit, async (used) => void seen.push(used)));
      }
      expect(seen.reverse()).toEqual(entries);
      expect(counts.every((count, index) => count === limit || index === counts.length - 1)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('an entry that could not be dealt with stays in its list; a list that has gone has none', async () => {
  const path = join(await freshDirectory(), '+list');
  expect(await useUpList(path, 9, () => Promise.reject(new Error('no')))).toBe(0);
  await writeFile(path, ['j1', 'j2'].map(listLine).join(''));
  await expect(useUpList(path, 9, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await readFile(path, 'utf8')).toBe('\nj1\nj2');
});

describe('names and headers', () => {
  test('every time is found again in its header', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999_999 }), fc.uint8Array(), (untilSec, rest) => {
        const header = lifeHeader(untilSec);
        expect(header.length).toBe(lifeHeaderBytes);
        expect(readLife(Buffer.concat([header, rest]))).toBe(untilSec);
        expect(gunzipSync(Buffer.concat([header, gzipSync(rest)]))).toEqual(Buffer.from(rest));
      }),
    );
  });

  test('other bytes are no header', () => {
    expect(readLife(gzipSync('x'.repeat(100)))).toBeUndefined();
    expect(readLife(lifeHeader(5).subarray(0, lifeHeaderBytes - 1))).toBeUndefined();
    const odd = lifeHeader(5);
    odd.write('-00000000005', 25, 'latin1');
    expect(readLife(odd)).toBeUndefined();
  });

  test.each([
    [-5, '1970-01-01'],
    [0, '1970-01-01'],
    [86_399, '1970-01-01'],
    [86_400, '1970-01-02'],
    [Number.MAX_SAFE_INTEGER, '2200-01-01'],
  ])('the end at %d is listed under %s', (untilSec, day) => {
    expect(expiryDay(untilSec)).toBe(day);
  });

  test('a day is past when the next one has begun', () => {
    const nowMs = Date.UTC(2026, 2, 1);
    expect(isPastDay('2026-02-28', nowMs - 1)).toBe(false);
    expect(isPastDay('2026-02-28', nowMs)).toBe(true);
    expect(isPastDay('2026-03-01', nowMs)).toBe(false);
  });

  test('different jobs have different names, none of them special', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (one, other) => {
        expect(nameOf(one)).toMatch(/^[\w\-!~'()%]*$/);
        expect(jobOf(nameOf(one))).toBe(one === '' ? undefined : one);
        expect(nameOf(one) === nameOf(other)).toBe(one === other);
      }),
    );
  });
});
