import { RedisLease } from '@carillon/adapters';
import type { PrimaryInfo } from '@carillon/core';
import { Collector, leaseConformance } from '@carillon/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MemoryLogger } from '../../src/logger/index.js';
import { TestRedis } from '../redis/test-redis.js';
import { openRedisLease } from './lease-subject.js';

let redis: TestRedis;
beforeAll(async () => {
  redis = await TestRedis.start();
});
afterAll(() => redis.stop());

const log = new MemoryLogger();
const candidate = { id: 'n"1', hostname: 'hö', url: 'http://h:1' };

leaseConformance('RedisLease', async () => openRedisLease(redis));

function openLease() {
  const keys = redis.freshKeys();
  const [commands, subscriber] = [redis.connectBreakable(), redis.connectBreakable('subscribe')];
  return { keys, commands, subscriber, lease: new RedisLease({ redis: commands, subscriber, keys, log }) };
}

describe('RedisLease: time and terms', () => {
  test('the key lives as long as was asked for', async () => {
    const { keys, commands, lease } = openLease();
    await lease.acquire('t1', candidate, 50_000);
    expect(await commands.pttl(keys.lease)).toBeGreaterThan(40_000);
    await lease.renew('t1', 90_000);
    expect(await commands.pttl(keys.lease)).toBeGreaterThan(80_000);
    await lease.acquire('t1', candidate, 200_000);
    expect(await commands.pttl(keys.lease)).toBeGreaterThan(190_000);
  });

  test('terms grow although Redis lost the last one, and although its clock went back', async () => {
    const { keys, commands, lease } = openLease();
    const first = await lease.acquire('t1', candidate, 50_000);
    if (!first.held) throw new Error('the free lease was refused');
    const [seconds] = await commands.time();
    expect(first.term).toBeGreaterThan((Number(seconds) - 60) * 1000);
    await commands.set(keys.term, '8000000000000001');
    await commands.del(keys.lease);
    expect(await lease.acquire('t2', candidate, 50_000)).toEqual({ held: true, term: 8_000_000_000_000_002 });
    expect(await lease.holder()).toEqual({ ...candidate, term: 8_000_000_000_000_002 });
  });

  test('a repeated request after a lost reply finds its own lease', async () => {
    const { lease } = openLease();
    await lease.holder();
    redis.proxy.loseNextReply();
    const answer = await lease.acquire('t1', candidate, 50_000);
    expect(answer).toMatchObject({ held: true });
    expect(await lease.acquire('t1', candidate, 50_000)).toEqual(answer);
  });

  test('a damaged record of the holder counts as nobody', async () => {
    const { keys, commands, lease } = openLease();
    for (const text of ['', 'x', '5', 'null', '{"id":1}', '{"id":"a","hostname":"b","url":"c"}']) {
      await commands.mset(keys.lease, 'other', keys.primary, text);
      expect(await lease.holder()).toBeUndefined();
      expect(await lease.acquire('t1', candidate, 1000)).toEqual({ held: false, holder: undefined });
    }
  });
});

describe('RedisLease: broken connections', () => {
  test('unreachable, every call rejects; afterwards announcements arrive again', async () => {
    const { subscriber, lease } = openLease();
    const heard = new Collector<PrimaryInfo | undefined>();
    lease.observe((holder) => heard.add(holder));
    await subscriber.ping();
    await redis.proxy.cut();
    await expect(lease.acquire('t1', candidate, 1000)).rejects.toThrow();
    await expect(lease.holder()).rejects.toThrow();
    await redis.proxy.mend();
    await subscriber.ping();
    const direct = redis.connect();
    const other = new RedisLease({ redis: direct, subscriber, keys: openLease().keys, log });
    await other.acquire('t9', candidate, 1000);
    const answer = await lease.acquire('t1', candidate, 1000);
    if (!answer.held) throw new Error('the free lease was refused');
    await heard.reached(1);
    expect(heard.values).toEqual([{ ...candidate, term: answer.term }]);
  });
});
