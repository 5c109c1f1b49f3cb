import type { LogArchive } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

export interface LogArchiveSubject {
  archive: LogArchive;
  close(): Promise<void>;
}

async function* chunksOf(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

async function* failingAfter(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunksOf(...chunks);
  throw new Error('the source failed');
}

async function bytesOf(archive: LogArchive, job: string): Promise<Buffer | undefined> {
  const chunks = await archive.get(job);
  if (chunks === undefined) return undefined;
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

/** Recognisable bytes. */
const bytes = (length: number, seed = 1): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, n) => (n * 31 + (n >> 8) * seed + seed) & 0xff));
const large = 700_000;
const dayS = 86_400;

/** What every implementation of LogArchive must do, by the system's clock; `open` makes an empty one. */
export function logArchiveConformance(name: string, open: () => Promise<LogArchiveSubject>): void {
  const withArchive = (body: (archive: LogArchive) => Promise<void>) => async (): Promise<void> => {
    const subject = await open();
    try {
      await body(subject.archive);
    } finally {
      await subject.close();
    }
  };
  describe(`${name}: contents`, () => describeContents(withArchive));
  describe(`${name}: replacing`, () => describeReplacing(withArchive));
  describe(`${name}: length of life`, () => describeLife(withArchive));
}

type WithArchive = (body: (archive: LogArchive) => Promise<void>) => () => Promise<void>;

function describeContents(withArchive: WithArchive): void {
  test(
    'a log that was never put is undefined, and removing it is harmless',
    withArchive(async (archive) => {
      expect(await archive.get('j1')).toBeUndefined();
      await archive.remove('j1');
      expect(await archive.get('j1')).toBeUndefined();
    }),
  );

  test.each([
    ['empty', []],
    ['one empty chunk', [Buffer.alloc(0)]],
    ['one byte', [bytes(1)]],
    ['exactly 256 KiB', [bytes(262_144)]],
    ['one byte more', [bytes(262_145)]],
    ['one large chunk', [bytes(large)]],
    ['many chunks', Array.from({ length: 90 }, (_, n) => bytes(10_007, n))],
  ])('what was put is what is read: %s', (_name, chunks) =>
    withArchive(async (archive) => {
      await archive.put('j1', chunksOf(...chunks), dayS);
      expect((await bytesOf(archive, 'j1'))?.equals(Buffer.concat(chunks))).toBe(true);
    })(),
  );

  test.each([1, large])(
    'a log of %d bytes that is to be kept for longer than can be counted is kept',
    (size) =>
      withArchive(async (archive) => {
        await archive.put('j1', chunksOf(bytes(size)), Number.MAX_SAFE_INTEGER * dayS);
        expect((await bytesOf(archive, 'j1'))?.equals(bytes(size))).toBe(true);
      })(),
  );

  test(
    'any sequence of chunks, also when the source uses its buffer again',
    withArchive(async (archive) => {
      const chunk = fc.uint8Array({ minLength: 0, maxLength: 40 });
      await fc.assert(
        fc.asyncProperty(fc.array(chunk, { maxLength: 6 }), async (chunks) => {
          const shared = new Uint8Array(40);
          async function* reusing(): AsyncGenerator<Uint8Array> {
            for (const part of chunks) {
              shared.set(part);
              yield await Promise.resolve(shared.subarray(0, part.byteLength));
            }
          }
          await archive.put('j1', reusing(), dayS);
          expect(await bytesOf(archive, 'j1')).toEqual(Buffer.concat(chunks));
        }),
        { numRuns: 30 },
      );
    }),
  );

  test(
    'logs of different jobs do not meet',
    withArchive(async (archive) => {
      await archive.put('j1', chunksOf(bytes(large, 1)), dayS);
      await archive.put('j12', chunksOf(bytes(large, 2)), dayS);
      await archive.remove('j1');
      expect(await archive.get('j1')).toBeUndefined();
      expect((await bytesOf(archive, 'j12'))?.equals(bytes(large, 2))).toBe(true);
    }),
  );
}

function describeReplacing(withArchive: WithArchive): void {
  test.each([
    ['small by small', 10, 20],
    ['small by large', 10, large],
    ['large by small', large, 10],
    ['large by a shorter large', large, 300_000],
  ])('a later put replaces the log: %s', (_name, before, after) =>
    withArchive(async (archive) => {
      await archive.put('j1', chunksOf(bytes(before, 1)), dayS);
      await archive.put('j1', chunksOf(bytes(after, 2)), dayS);
      expect((await bytesOf(archive, 'j1'))?.equals(bytes(after, 2))).toBe(true);
    })(),
  );

  test.each([
    ['small', 10],
    ['large', large],
  ])('a put whose source fails leaves the earlier log: %s', (_name, length) =>
    withArchive(async (archive) => {
      await expect(archive.put('j1', failingAfter(bytes(length, 2)), dayS)).rejects.toThrow(
        'the source failed',
      );
      expect(await archive.get('j1')).toBeUndefined();
      await archive.put('j1', chunksOf(bytes(length, 1)), dayS);
      await expect(archive.put('j1', failingAfter(bytes(length, 2)), dayS)).rejects.toThrow(
        'the source failed',
      );
      expect((await bytesOf(archive, 'j1'))?.equals(bytes(length, 1))).toBe(true);
    })(),
  );

  test(
    'readers see the earlier log until the put is complete, and read on while it is replaced',
    withArchive(async (archive) => {
      await archive.put('j1', chunksOf(bytes(large, 1)), dayS);
      const early = (await archive.get('j1'))?.[Symbol.asyncIterator]();
      const first = await early?.next();
      let during: Buffer | undefined;
      async function* watching(): AsyncGenerator<Uint8Array> {
        yield bytes(large, 2);
        during = await bytesOf(archive, 'j1');
        yield bytes(large, 3);
      }
      await archive.put('j1', watching(), dayS);
      expect(during?.equals(bytes(large, 1))).toBe(true);

      const parts: Uint8Array[] = first?.done === false ? [first.value] : [];
      for (let next = await early?.next(); next?.done === false; next = await early?.next()) {
        parts.push(next.value);
      }
      expect(Buffer.concat(parts).equals(bytes(large, 1))).toBe(true);
      const now = await bytesOf(archive, 'j1');
      expect(now?.equals(Buffer.concat([bytes(large, 2), bytes(large, 3)]))).toBe(true);
    }),
  );
}

function describeLife(withArchive: WithArchive): void {
  const nowSec = (): number => Math.floor(Date.now() / 1000);

  test.each([1, large])('a log of %d bytes whose time is moved to the past is gone at once', (size) =>
    withArchive(async (archive) => {
      await archive.put('j1', chunksOf(bytes(size)), dayS);
      await archive.put('j2', chunksOf(bytes(size, 2)), dayS);
      await archive.keepUntil('j1', nowSec() - 3 * dayS);
      expect(await archive.get('j1')).toBeUndefined();
      expect((await bytesOf(archive, 'j2'))?.equals(bytes(size, 2))).toBe(true);
    })(),
  );

  test.each([
    ['later', 400 * dayS],
    ['sooner', 60],
    ['to a time that cannot be counted', Number.MAX_SAFE_INTEGER],
  ])('a log whose time is moved %s is still what was put', (_name, bySec) =>
    withArchive(async (archive) => {
      for (const size of [0, 10, large]) {
        await archive.put('j1', chunksOf(bytes(size)), dayS);
        await archive.keepUntil('j1', nowSec() + bySec);
        await archive.keepUntil('j1', nowSec() + bySec);
        expect((await bytesOf(archive, 'j1'))?.equals(bytes(size))).toBe(true);
      }
    })(),
  );

  test(
    'moving the time of a log that does not exist makes none',
    withArchive(async (archive) => {
      await archive.keepUntil('j1', nowSec() + dayS);
      expect(await archive.get('j1')).toBeUndefined();
    }),
  );

  test(
    'a later put begins a life of its own',
    withArchive(async (archive) => {
      await archive.put('j1', chunksOf(bytes(10)), dayS);
      await archive.keepUntil('j1', nowSec() - 3 * dayS);
      await archive.put('j1', chunksOf(bytes(20)), dayS);
      await sweepAll(archive);
      expect(await bytesOf(archive, 'j1')).toEqual(bytes(20));
      await archive.remove('j1');
      expect(await archive.get('j1')).toBeUndefined();
    }),
  );

  test(
    'sweeping comes to an end and takes only what is over, wherever its time was before',
    withArchive(async (archive) => {
      const daysOf = (index: number): number => [-40, -3, -2, 1, 2, 90][index % 6] ?? 0;
      const indexes = Array.from({ length: 18 }, (_, index) => index);
      for (const index of indexes) await archive.put(`j${index}`, chunksOf(bytes(10, index)), dayS);
      for (const index of indexes) await archive.keepUntil(`j${index}`, nowSec() + daysOf(index) * dayS);
      await sweepAll(archive);
      for (const index of indexes) {
        const kept = await bytesOf(archive, `j${index}`);
        expect([index, kept]).toEqual([index, daysOf(index) < 0 ? undefined : bytes(10, index)]);
      }
    }),
  );
}

/** Sweeps in small steps until nothing is left to do. */
async function sweepAll(archive: LogArchive): Promise<void> {
  for (let step = 0; (await archive.sweep(4)) > 0; step += 1) {
    if (step > 100) throw new Error('sweeping does not come to an end');
  }
}
