import { checkRedisSettings, closeRedis, createRedis, keySpace, redisAddress } from '@carillon/adapters';
import { startPrivateRedis } from '@carillon/testkit';
import { describe, expect, jest, test } from '@jest/globals';
import { MemoryLogger } from '../../src/logger/index.js';
import { findProblems, parseInfo } from '../../src/redis/check-redis-settings.js';
import { TestRedis } from './test-redis.js';

describe('addresses', () => {
  test.each([
    ['redis://127.0.0.1:6379', 'redis://127.0.0.1:6379'],
    ['rediss://user:pw@example.org:6380/2', 'rediss://user:pw@example.org:6380/2'],
    ['unix:/run/redis.sock', '/run/redis.sock'],
    ['unix:///run/redis.sock', '/run/redis.sock'],
    ['/run/redis.sock', '/run/redis.sock'],
  ])('%s', (url, expected) => {
    expect(redisAddress(url)).toBe(expected);
  });

  test.each([
    '',
    'localhost',
    'http://h',
    'redis://',
    'unix:relative',
    'sentinel://secret@h',
    'redis://h:port',
  ])('%j is refused without showing it', (url) => {
    expect(() => redisAddress(url)).toThrow(RangeError);
    expect(() => redisAddress(url)).not.toThrow(/secret/);
  });
});

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
    const names = Object.values(keys).map((name) => (typeof name === 'function' ? name('events') : name));
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
    maxmemory_policy: 'noeviction',
    aof_enabled: '1',
    aof_last_write_status: 'ok',
  };
  const settings = { save: '', appendFsync: 'everysec' };

  test.each([
    [{}, {}, []],
    [{ redis_version: '6.2.0' }, {}, []],
    [{ redis_version: '10.1' }, {}, []],
    [{}, { save: undefined, appendFsync: undefined }, []],
    [{ redis_version: '6.0.16' }, {}, [/6\.0\.16 is too old: use 6\.2/]],
    [{ redis_version: '' }, {}, [/unknown version/]],
    [{ role: 'slave' }, {}, [/replica/]],
    [{ maxmemory_policy: 'allkeys-lru' }, {}, [/allkeys-lru.*noeviction/]],
    [{ aof_enabled: '0' }, {}, [/nothing on disk.*appendonly/]],
    [{ aof_enabled: '0' }, { save: '3600 1' }, [/snapshots only.*appendonly/]],
    [{ aof_enabled: '0' }, { save: undefined }, [/appendonly/]],
    [{}, { appendFsync: 'no' }, [/appendfsync/]],
    [{ aof_last_write_status: 'err' }, {}, [/append-only file/]],
    [{ aof_enabled: '0', maxmemory_policy: 'volatile-lru' }, {}, [/volatile-lru/, /appendonly/]],
  ])('%j with %j', (info, changed, expected) => {
    const problems = findProblems(new Map(Object.entries({ ...good, ...info })), { ...settings, ...changed });
    expect(problems).toEqual(expected.map((text) => expect.stringMatching(text)));
  });

  test('INFO is read line by line', () => {
    expect([...parseInfo('# Server\r\nredis_version:7.0.15\r\nx:a:b\r\n\r\n')]).toEqual([
      ['redis_version', '7.0.15'],
      ['x', 'a:b'],
    ]);
  });

  test('a real server, also where CONFIG is forbidden', async () => {
    const redis = await TestRedis.start();
    try {
      const client = redis.connect();
      expect(await checkRedisSettings(client)).toEqual({ problems: [] });
      await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
      await client.config('SET', 'appendfsync', 'no');
      expect((await checkRedisSettings(client)).problems).toHaveLength(2);
      await client.acl('SETUSER', 'default', '-config');
      expect((await checkRedisSettings(client)).problems).toHaveLength(1);
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
      await expect(client.ping()).rejects.toThrow();
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
