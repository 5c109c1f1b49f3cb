import { measureRedis } from '@carillon/adapters';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TestRedis } from './test-redis.js';

let server: TestRedis;

beforeAll(async () => {
  server = await TestRedis.start();
});
afterAll(() => server.stop());

/** A connected client and what was told of its commands. */
async function measured() {
  const redis = server.connect();
  await redis.ping();
  const replies: { tookMs: number; failed: boolean }[] = [];
  const clock = { monotonicMs: () => performance.now() };
  measureRedis(redis, clock, (tookMs, failed) => void replies.push({ tookMs, failed }));
  return { redis, replies };
}

test('each command is told once, with the time it took', async () => {
  const { redis, replies } = await measured();
  await redis.set('a', '1');
  expect(await redis.get('a')).toBe('1');
  const both = await redis.pipeline().get('a').get('b').exec();
  expect(both).toEqual([
    [null, '1'],
    [null, null],
  ]);
  expect(replies.map(({ failed }) => failed)).toEqual([false, false, false, false]);
  for (const { tookMs } of replies) expect(tookMs).toBeGreaterThan(0);
});

test('a refused command is told as failed, and its error still reaches the caller', async () => {
  const { redis, replies } = await measured();
  await redis.set('text', 'x');
  await expect(redis.lpush('text', '1')).rejects.toThrow('WRONGTYPE');
  expect(replies.map(({ failed }) => failed)).toEqual([false, true]);
});

test('how a client introduces itself is not told: old servers refuse parts of it', async () => {
  const redis = server.connect();
  const names: string[] = [];
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, ...rest) => {
    names.push(command.name);
    return send(command, ...rest);
  };
  const failures: number[] = [];
  measureRedis(redis, { monotonicMs: () => 0 }, (tookMs, failed) => void (failed && failures.push(tookMs)));
  await redis.ping();
  expect(names).toContain('client');
  expect(failures).toEqual([]);
});
