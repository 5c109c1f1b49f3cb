import { createRedis, MemoryLogger } from '@carillon/adapters';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  describeInNamespaces,
  NamespaceNetwork,
  type PrivateRedis,
  redisShape,
  redisShapes,
  startShapedRedis,
} from '../../src/index.js';

let redis: PrivateRedis | undefined;
let network: NamespaceNetwork | undefined;

afterEach(async () => {
  delete process.env['CARILLON_TEST_REDIS'];
  await redis?.stop();
  await network?.close();
  redis = undefined;
  network = undefined;
}, 30_000);

/** What every server says to a question. */
const answersOf = (
  servers: readonly string[],
  question: (url: string) => Promise<string>,
): Promise<string[]> =>
  Promise.all(servers.map((url) => question(url).catch((error: unknown) => String(error))));

const ask = async (url: string, command: string, ...args: string[]): Promise<string> => {
  const client = createRedis({ url, log: new MemoryLogger() }, 'commands');
  try {
    return String(await client.call(command, ...args));
  } finally {
    client.disconnect();
  }
};

describe('CARILLON_TEST_REDIS', () => {
  test('without it there is one plain server', () => {
    expect(redisShape()).toBe('plain');
  });

  test.each(redisShapes)('%s', (shape) => {
    process.env['CARILLON_TEST_REDIS'] = shape;
    expect(redisShape()).toBe(shape);
  });

  test.each(['', 'Plain', 'ring'])('"%s" is refused', (text) => {
    process.env['CARILLON_TEST_REDIS'] = text;
    expect(redisShape).toThrow(`CARILLON_TEST_REDIS: expected plain, sentinel, cluster, got ${text}`);
  });
});

test.each(redisShapes)(
  'servers that want a password, %s',
  async (shape) => {
    redis = await startShapedRedis(shape, { password: 'pa55word' });
    const { servers } = redis;
    expect(await answersOf(servers, (url) => ask(url, 'PING'))).toEqual(servers.map(() => 'PONG'));
    const without = await answersOf(servers, (url) => ask(url.replace(/:pa55word@/, ''), 'PING'));
    expect(without).toEqual(servers.map(() => expect.stringContaining('NOAUTH')));
    expect(servers).toContain(await redis.holder());
    expect(redis.url).toContain(':pa55word@');
  },
  30_000,
);

describeInNamespaces('all servers in one namespace', () => {
  test.each(redisShapes)(
    '%s: the server with the keys is found from here, also after an outage',
    async (shape) => {
      network = new NamespaceNetwork();
      const { through, host } = network.join('redis');
      redis = await startShapedRedis(shape, { within: { through, host, port: 6379 } });
      const holder = await redis.holder();
      expect(holder).toMatch(/^unix:/);
      expect(redis.url).toContain(`${host}:`);
      expect(await ask(holder, 'SET', '{carillon}:kept', 'yes')).toBe('OK');
      const restart = await redis.outage();
      await expect(ask(holder, 'PING')).rejects.toThrow();
      await restart();
      expect(await ask(await redis.holder(), 'GET', '{carillon}:kept')).toBe('yes');
    },
    60_000,
  );
});
