import { askRedis } from './ask-redis.js';
import { startPrivateCluster } from './private-cluster.js';
import { type PrivateRedis, type RedisSite, startPrivateRedis } from './private-redis.js';
import { startPrivateSentinel } from './private-sentinel.js';
import { withPassword } from './redis-directory.js';

/** One server; a master with replicas and sentinels; a cluster of three masters. */
export const redisShapes = ['plain', 'sentinel', 'cluster'] as const;
export type RedisShape = (typeof redisShapes)[number];

const variable = 'CARILLON_TEST_REDIS';

/** What CARILLON_TEST_REDIS says that clusters of tests run on; `plain` without. Throws when it is no shape. */
export function redisShape(): RedisShape {
  const text = process.env[variable] ?? 'plain';
  const shape = redisShapes.find((one) => one === text);
  if (shape === undefined) throw new Error(`${variable}: expected ${redisShapes.join(', ')}, got ${text}`);
  return shape;
}

export interface ShapedRedisOptions {
  /** Wanted by all servers; not with `within`. */
  password?: string;
  within?: RedisSite;
}

/** Starts a Redis of that shape, which listens on TCP; resolves when it can be used. */
export async function startShapedRedis(
  shape: RedisShape,
  { password, within }: ShapedRedisOptions = {},
): Promise<PrivateRedis> {
  const options = {
    ...(password === undefined ? {} : { password }),
    ...(within === undefined ? {} : { within }),
  };
  if (shape === 'sentinel') return startPrivateSentinel(options);
  if (shape === 'cluster') return startPrivateCluster(options);
  const redis = await startPrivateRedis(
    within === undefined ? { listen: 'tcp' } : { listen: 'unix', within },
  );
  if (password === undefined) return redis;
  await askRedis(redis.url, 'CONFIG', 'SET', 'requirepass', password);
  const url = withPassword(redis.url, password);
  return { ...redis, url, servers: [url], holder: async () => url };
}
