import { FakeClock, HeldBytes, logArchiveConformance, SeededRandom, watchedCopies } from '@carillon/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SystemClock } from '../../src/clock/index.js';
import { MemoryLogArchive, RedisLogArchive } from '../../src/log-archive/index.js';
import { SystemRandom } from '../../src/random/index.js';
import { type TestRedis, startTestRedis } from '../queue/redis-server.js';

let redis: TestRedis;
let prefixes = 0;
const freshPrefix = (): string => {
  prefixes += 1;
  return `{test-${prefixes}}`;
};

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => {
  await redis.stop();
});

logArchiveConformance('MemoryLogArchive', () =>
  Promise.resolve({ archive: new MemoryLogArchive(new SystemClock()), close: () => Promise.resolve() }),
);
logArchiveConformance('RedisLogArchive', () => {
  const client = redis.connect();
  const archive = new RedisLogArchive(client, freshPrefix(), new SystemRandom());
  return Promise.resolve({ archive, close: () => Promise.resolve(client.disconnect()) });
});

async function* repeated(chunk: Uint8Array, times: number): AsyncGenerator<Uint8Array> {
  for (let n = 0; n < times; n += 1) yield await Promise.resolve(chunk);
}

test('MemoryLogArchive forgets a log when its time is over', async () => {
  const clock = new FakeClock();
  const archive = new MemoryLogArchive(clock);
  await archive.put('j1', repeated(Buffer.from('x'), 1), 60);
  clock.advance(59_999);
  expect(await archive.get('j1')).toBeDefined();
  clock.advance(1);
  expect(await archive.get('j1')).toBeUndefined();
});

describe('RedisLogArchive', () => {
  const chunk = Buffer.alloc(100_000, 7);

  test('everything it writes expires, the pieces after their head', async () => {
    const client = redis.connect();
    const prefix = freshPrefix();
    const archive = new RedisLogArchive(client, prefix, new SeededRandom());
    await archive.put('small', repeated(chunk, 1), 100);
    await archive.put('large', repeated(chunk, 10), 100);
    expect(await client.ttl(`${prefix}:log:small`)).toBeLessThanOrEqual(100);
    const keys = await client.keys(`${prefix}:log:*`);
    // A head each, and four pieces of 256 KiB.
    expect(keys.length).toBe(6);
    for (const key of keys) {
      const leftSec = await client.ttl(key);
      expect(leftSec).toBeGreaterThan(key.includes('large:') ? 100 : 0);
    }
  });

  test('pieces of a replaced or removed log are gone after a minute, those of a failed put at once', async () => {
    const client = redis.connect();
    const prefix = freshPrefix();
    const archive = new RedisLogArchive(client, prefix, new SystemRandom());
    await archive.put('j1', repeated(chunk, 10), 86_400);
    await archive.put('j1', repeated(chunk, 1), 86_400);
    const left = await client.keys(`${prefix}:log:j1:*`);
    expect(left.length).toBe(4);
    for (const key of left) expect(await client.ttl(key)).toBeLessThanOrEqual(60);

    await archive.put('j2', repeated(chunk, 10), 86_400);
    await archive.remove('j2');
    for (const key of await client.keys(`${prefix}:log:j2:*`))
      expect(await client.ttl(key)).toBeLessThanOrEqual(60);

    async function* failing(): AsyncGenerator<Uint8Array> {
      yield* repeated(chunk, 10);
      throw new Error('the source failed');
    }
    await expect(archive.put('j3', failing(), 86_400)).rejects.toThrow('the source failed');
    expect(await client.keys(`${prefix}:log:j3*`)).toEqual([]);
  });

  test('a reader whose log vanishes fails instead of ending early', async () => {
    const client = redis.connect();
    const prefix = freshPrefix();
    const archive = new RedisLogArchive(client, prefix, new SystemRandom());
    await archive.put('j1', repeated(chunk, 10), 86_400);
    const read = async (): Promise<void> => {
      for await (const piece of (await archive.get('j1')) ?? []) {
        expect(piece.byteLength).toBeGreaterThan(0);
        await client.del(await client.keys(`${prefix}:log:j1:*`));
      }
    };
    await expect(read()).rejects.toThrow('removed while it was read');
  });

  test('a long log passes without being held in memory', async () => {
    const client = redis.connect();
    const archive = new RedisLogArchive(client, freshPrefix(), new SystemRandom());
    const held = new HeldBytes();
    await archive.put('j1', watchedCopies(chunk, 600, held), 600);
    let length = 0;
    for await (const piece of (await archive.get('j1')) ?? []) length += piece.byteLength;
    expect(length).toBe(60_000_000);
    expect(held.most).toBeLessThan(20_000_000);
  }, 60_000);
});
