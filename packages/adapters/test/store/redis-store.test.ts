import { LostCommitError, RedisStore } from '@carillon/adapters';
import type { Change, Session } from '@carillon/core';
import {
  claimsConformance,
  dispatchOf,
  finishOf,
  jobOf,
  openStore,
  storeConformance,
  storeTransferConformance,
} from '@carillon/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { prepareScript } from '../../src/redis/redis-script.js';
import { commitScript } from '../../src/store/lua/commit.js';
import { TestRedis } from '../redis/test-redis.js';
import { openRedisStores } from './store-subjects.js';

let redis: TestRedis;
beforeAll(async () => {
  redis = await TestRedis.start();
});
afterAll(() => redis.stop());

storeConformance('RedisStore', () => openRedisStores(redis));
storeTransferConformance('RedisStore', () => openRedisStores(redis));
claimsConformance('RedisRunClaims', () => openRedisStores(redis));

const note = (epoch: number): Change => ({
  type: 'activity',
  entry: { action: 'warning', epoch },
  rowMax: 100_000,
});

/** A store in a term of its own, on a direct connection. */
async function openOne() {
  const keys = redis.freshKeys();
  const client = redis.connect();
  const session: Session = { term: 5, signal: new AbortController().signal };
  await client.set(keys.term, '5');
  const store = new RedisStore({ redis: client, keys });
  await store.load(session);
  return { keys, client, session, store };
}

describe('RedisStore: the sequence', () => {
  test('a repeated number is acknowledged without being applied, a missing one is refused', async () => {
    const { keys, client } = await openOne();
    const commit = prepareScript(client, commitScript);
    const name = (await client.hget(keys.sequence, 'session')) ?? '';
    const push = (session: string, number: number, word: string) =>
      commit([keys.term, keys.sequence], '5', session, number, ['3', 'RPUSH', keys.activity, word]);
    expect(await push(name, 1, 'a')).toBe('OK');
    expect(await push(name, 1, 'b')).toBe('OK');
    expect(await push(name, 3, 'c')).toBe('GAP');
    expect(await push('5:0', 2, 'd')).toBe('GAP');
    expect(await push(name, 2, 'e')).toBe('OK');
    expect(await push(name, 1, 'f')).toBe('OK');
    expect(await client.lrange(keys.activity, 0, -1)).toEqual(['a', 'e']);
    await client.set(keys.term, '6');
    expect(await push(name, 3, 'g')).toBe('FENCED');
    expect(await client.llen(keys.activity)).toBe(2);
  });

  test('commits in flight behind a missing one are refused', async () => {
    const { keys, client, session, store } = await openOne();
    await store.commit(session, [note(1)]);
    // What a Redis that lost its latest writes would know.
    await client.hset(keys.sequence, 'number', '0');
    const late = [store.commit(session, [note(2)]), store.commit(session, [note(3)])];
    for (const commit of late) await expect(commit).rejects.toThrow(LostCommitError);
    expect((await store.readActivity(0, 10)).length).toBe(1);
  });

  test('commits keep their order when the server has forgotten the script', async () => {
    const { client, session, store } = await openOne();
    await store.commit(session, [note(0)]);
    await client.script('FLUSH');
    const outcomes = await Promise.allSettled([1, 2, 3].map((epoch) => store.commit(session, [note(epoch)])));
    const { rows } = await store.readActivity(0, 10);
    const acknowledged = [1, 2, 3].filter((_, index) => outcomes[index]?.status === 'fulfilled');
    expect(rows.map((row) => row.epoch)).toEqual([...acknowledged.reverse(), 0]);
  });
});

describe('RedisStore: a server in trouble', () => {
  test('what was acknowledged survives a kill of the server; open stores go on with the restarted one', async () => {
    const { client, session, store } = await openOne();
    const count = 2_000;
    // With everysec a write waits in the server, acknowledged, while the disk is slow to sync the one before.
    await client.config('SET', 'appendfsync', 'always');
    await Promise.all(Array.from({ length: count }, (_, epoch) => store.commit(session, [note(epoch)])));
    await redis.server.kill9();
    await redis.server.restart();
    while (client.status !== 'ready') await client.ping().catch(() => undefined);
    await store.commit(session, [note(count)]);
    const { rows } = await store.readActivity(0, count + 10);
    expect(rows.map((row) => row.epoch).reverse()).toEqual(
      Array.from({ length: count + 1 }, (_, epoch) => epoch),
    );
  });

  test('a full server refuses writes with its reason, and nothing is half done', async () => {
    const { client, session, store } = await openOne();
    await store.commit(session, dispatchOf(jobOf('j1')));
    await client.config('SET', 'maxmemory', '1');
    try {
      await expect(store.checkHealth()).rejects.toThrow(/OOM/);
      await expect(store.commit(session, [note(1), finishOf('j1')])).rejects.toThrow(/OOM/);
      await expect(store.commit(session, [note(2)])).rejects.toThrow(/OOM/);
    } finally {
      await client.config('SET', 'maxmemory', '0');
    }
    await store.checkHealth();
    const state = await store.load(session);
    expect(state.jobs.has('j1')).toBe(true);
    expect((await store.readActivity(0, 10)).length).toBe(0);
  });

  test('damage is named instead of being loaded', async () => {
    const { keys, client, session, store } = await openOne();
    await client.hset(keys.table('events'), 'e1', 'garbage');
    await expect(store.load(session)).rejects.toThrow(`${keys.table('events')} e1`);
  });
});

describe('RedisStore: what it leaves behind', () => {
  test('completed jobs and totals expire, and every key carries the hash tag', async () => {
    const cluster = await openRedisStores(redis);
    try {
      const { store, session } = await openStore(cluster);
      const keys = redis.freshKeys();
      const client = redis.connect();
      await client.set(keys.term, String(session.term));
      const own = new RedisStore({ redis: client, keys });
      await own.load(session);
      await own.commit(session, [...dispatchOf(jobOf('j1')), finishOf('j1'), note(1)]);
      await own.checkHealth();
      expect(await client.ttl(keys.job('j1'))).toBeGreaterThan(3_500);
      expect(await client.ttl(keys.stats('2026-01-01'))).toBeGreaterThan(86_400);
      const left = await client.keys(`${keys.root}:*`);
      expect(left.length).toBeGreaterThan(5);
      expect(await store.readJob('j1')).toBeUndefined();
    } finally {
      await cluster.close();
    }
  });
});
