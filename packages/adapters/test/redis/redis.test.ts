import { checkRedisSettings, closeRedis, createRedis, keySpace } from '@carillon/adapters';
import { startPrivateRedis } from '@carillon/testkit';
import { describe, expect, jest, test } from '@jest/globals';
import { MemoryLogger } from '../../src/logger/index.js';
import { judgeServer, parseInfo } from '../../src/redis/check-redis-settings.js';
import { TestRedis } from './test-redis.js';

describe('key names', () => {
  test.each([
    ['carillon', '{carillon}:jobs'],
    ['{a}', '{a}:jobs'],
    ['pre:{a}.x', 'pre:{a}.x:jobs'],
  ])('under %s', (prefix, expected) => {
    expect(keySpace(prefix).jobs).toBe(expected);
  });

  test.each(['', 'a b', '{}', '{a', 'a*', '{a}{b}'])('%j is not a prefix', (prefix) => {
    expect(() => keySpace(prefix)).toThrow(RangeError);
  });

  test('no two names are the same', () => {
    const keys = keySpace();
    const names = Object.values(keys).map((name) =>
      typeof name === 'function' ? name('events', keys.history) : name,
    );
    expect(new Set(names).size).toBe(names.length);
  });
});

test('commands of one turn go to the connection in one write, in their order', async () => {
  const server = await TestRedis.start();
  try {
    const redis = server.connect();
    await redis.ping();
    const pieces = jest.spyOn(redis.stream, '_writev');
    const replies = Promise.all([redis.set('a', '1'), redis.incr('a'), redis.get('a')]);
    expect(pieces).not.toHaveBeenCalled();
    expect(await replies).toEqual(['OK', 2, '2']);
    expect(pieces.mock.calls.map(([chunks]) => chunks.length)).toEqual([3]);
    // A connection that is closed at once sends what was called before.
    const last = redis.set('a', 'last');
    await closeRedis(redis);
    expect(await last).toBe('OK');
  } finally {
    await server.stop();
  }
});

describe('settings of the server', () => {
  const good = {
    redis_version: '7.0.15',
    role: 'master',
    maxmemory: '0',
    maxmemory_policy: 'noeviction',
    aof_enabled: '1',
    aof_last_write_status: 'ok',
  };
  const settings = { save: '', appendFsync: 'everysec' };
  const judge = (info: object, changed: object, replicas = 0) => {
    const fields = Object.entries({ ...good, ...info }).filter(([, value]) => value !== undefined);
    return judgeServer(new Map(fields), { ...settings, ...changed }, replicas);
  };

  test.each([
    [{}, {}],
    [{ redis_version: '6.2.0' }, {}],
    [{ redis_version: '10.1' }, {}],
    [{}, { save: undefined }],
    [{ maxmemory: '1000000' }, {}],
  ])('nothing is wrong with %j and %j', (info, changed) => {
    expect(judge(info, changed)).toEqual({ faults: [], doubts: [] });
  });

  test.each([
    [{ redis_version: '6.0.16' }, {}, [/6\.0\.16 is too old: use 6\.2/]],
    [{ redis_version: '' }, {}, [/unknown version/]],
    [{ role: 'slave' }, {}, [/replica.*master/]],
    [{ maxmemory: '1000', maxmemory_policy: 'allkeys-lru' }, {}, [/allkeys-lru.*noeviction/]],
    [{ maxmemory: undefined, maxmemory_policy: 'allkeys-lru' }, {}, [/allkeys-lru.*noeviction/]],
    [{ aof_enabled: '0' }, {}, [/nothing on disk.*appendonly/]],
    [
      { aof_enabled: '0', maxmemory: '1', maxmemory_policy: 'volatile-ttl' },
      {},
      [/volatile-ttl/, /appendonly/],
    ],
  ])('%j with %j is a fault', (info, changed, expected) => {
    const faults = expected.map((text) => expect.stringMatching(text));
    expect(judge(info, changed)).toEqual({ faults, doubts: [] });
  });

  test.each([
    [{ maxmemory_policy: 'allkeys-lru' }, {}, /would delete.*allkeys-lru.*noeviction/],
    [{ maxmemory_policy: undefined }, {}, /not be checked.*noeviction/],
    [{ aof_enabled: '0' }, { save: '3600 1' }, /snapshots only.*appendonly/],
    [{ aof_enabled: '0' }, { save: undefined }, /not be checked.*appendonly/],
    [{ aof_enabled: undefined }, {}, /not be checked.*appendonly/],
    [{}, { appendFsync: undefined }, /not be checked.*appendfsync/],
    [{}, { appendFsync: 'no' }, /appendfsync/],
    [{ aof_last_write_status: 'err' }, {}, /append-only file/],
  ])('%j with %j is a doubt', (info, changed, expected) => {
    expect(judge(info, changed)).toEqual({ faults: [], doubts: [expect.stringMatching(expected)] });
  });

  test('fewer replicas than a write needs are a doubt', () => {
    expect(judge({ connected_slaves: '2' }, {}, 2)).toEqual({ faults: [], doubts: [] });
    expect(judge({ connected_slaves: '1' }, {}, 2).doubts).toEqual([
      expect.stringMatching(/has 1 .* reach 2/),
    ]);
  });

  test('INFO is read line by line', () => {
    expect([...parseInfo('# Server\r\nredis_version:7.0.15\r\nx:a:b\r\n\r\n')]).toEqual([
      ['redis_version', '7.0.15'],
      ['x', 'a:b'],
    ]);
  });

  test('a real server: as it should be, with bad settings, and where it cannot be asked', async () => {
    const redis = await TestRedis.start();
    try {
      const client = redis.connect();
      expect(await checkRedisSettings(client)).toEqual({ faults: [], doubts: [] });
      await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
      expect((await checkRedisSettings(client)).doubts).toEqual([expect.stringMatching(/allkeys-lru/)]);
      await client.config('SET', 'maxmemory', '1gb');
      await client.config('SET', 'appendonly', 'no');
      expect((await checkRedisSettings(client)).faults).toEqual([
        expect.stringMatching(/allkeys-lru/),
        expect.stringMatching(/nothing on disk/),
      ]);
      await client.config('SET', 'save', '3600 1');
      expect((await checkRedisSettings(client)).doubts).toEqual([expect.stringMatching(/snapshots only/)]);
      await client.acl('SETUSER', 'default', '-config');
      expect(await checkRedisSettings(client)).toEqual({
        faults: [expect.stringMatching(/allkeys-lru/)],
        doubts: [expect.stringMatching(/could not be checked.*appendonly/)],
      });
      await client.acl('SETUSER', 'default', '-info');
      expect(await checkRedisSettings(client)).toEqual({
        faults: [],
        doubts: [expect.stringMatching(/could not be checked.*INFO is forbidden/)],
      });
    } finally {
      await redis.stop();
    }
  });

  test('a server that does not answer is not judged', async () => {
    const redis = await TestRedis.start();
    try {
      const client = redis.connect();
      await client.ping();
      await redis.server.kill9();
      await expect(checkRedisSettings(client)).rejects.toThrow();
    } finally {
      await redis.stop();
    }
  });
});

describe('clients', () => {
  test('reach a server over TCP', async () => {
    const server = await startPrivateRedis({ listen: 'tcp' });
    const redis = createRedis({ url: server.url, log: new MemoryLogger() }, 'commands');
    try {
      expect(await redis.ping()).toBe('PONG');
    } finally {
      await closeRedis(redis);
      await closeRedis(redis);
      await server.stop();
    }
  });

  test('an outage is reported once, commands fail soon, and all goes on afterwards', async () => {
    const redis = await TestRedis.start();
    const lines = new MemoryLogger();
    const client = createRedis({ url: redis.server.url, log: lines }, 'commands');
    try {
      await client.ping();
      await redis.server.kill9();
      await expect(client.ping()).rejects.toThrow();
      await expect(client.ping()).rejects.toThrow(/^Redis cannot be reached: connect E/);
      await redis.server.restart();
      while (client.status !== 'ready') await client.ping().catch(() => undefined);
      expect(await client.ping()).toBe('PONG');
      expect(lines.lines.filter((line) => line.level === 'warn')).toHaveLength(1);
      expect(lines.lines.at(-1)).toMatchObject({ level: 'info', message: 'Redis is back' });
    } finally {
      await closeRedis(client);
      await redis.stop();
    }
  });

  test('closing a client that has no server does not wait for one', async () => {
    const server = await startPrivateRedis({ listen: 'unix' });
    const redis = createRedis({ url: server.url, log: new MemoryLogger() }, 'blocking');
    await redis.ping();
    await server.kill9();
    const waiting = redis.ping();
    waiting.catch(() => undefined);
    await closeRedis(redis);
    await server.stop();
    expect(redis.status).not.toBe('ready');
  });
});
