import type { Logger } from '@carillon/core';
import { Redis, type RedisOptions } from 'ioredis';
import { batchWrites } from './batch-writes.js';
import { redisAddress } from './redis-url.js';

export interface RedisConfig {
  /** `redis://`, `rediss://`, `unix:/path` or an absolute path. */
  url: string;
  log: Logger;
}

/**
 * `commands`: answers or fails within about two seconds, for everything a caller waits for. `blocking`: waits for
 * Redis for as long as it takes, for queue consumers. `subscribe`: the same, for a connection that only listens.
 */
export type RedisUse = 'commands' | 'blocking' | 'subscribe';

const keepAliveMs = 5_000;

const optionsOf: Readonly<Record<RedisUse, Omit<RedisOptions, 'replyMapping'>>> = {
  commands: {
    maxRetriesPerRequest: 1,
    commandTimeout: 2_000,
    socketTimeout: 5_000,
    keepAlive: keepAliveMs,
  },
  blocking: { maxRetriesPerRequest: null, keepAlive: keepAliveMs },
  subscribe: { maxRetriesPerRequest: null, keepAlive: keepAliveMs },
};

/**
 * Opens a client for one use. It connects by itself, now and after every loss; failures are logged once per
 * outage. Unanswered commands are repeated after a reconnection, so every write must be harmless when repeated.
 * Throws RangeError for an unusable address. This is the only place that knows how a server is found.
 */
export function createRedis(config: RedisConfig, use: RedisUse): Redis {
  const address = redisAddress(config.url);
  const options = {
    ...optionsOf[use],
    connectionName: `carillon-${use}`,
    connectTimeout: 3_000,
    // A client that is closed while it has no connection keeps the process alive for this long.
    disconnectTimeout: 250,
    retryStrategy: reconnectDelayMs,
  };
  const redis = address.startsWith('/')
    ? new Redis({ ...options, path: address })
    : new Redis(address, options);
  // Clients are shared by any number of consumers, each with listeners of its own.
  redis.setMaxListeners(0);
  batchWrites(redis);
  watchConnection(redis, config.log.child({ connection: use }));
  return redis;
}

/** Long enough for a supervised Redis to be back at the first attempt, short enough to notice when it is. */
function reconnectDelayMs(attempt: number): number {
  return Math.min(250 * attempt, 1_000);
}

function watchConnection(redis: Redis, log: Logger): void {
  let broken = false;
  redis.on('error', (error: Error) => {
    log.log(broken ? 'debug' : 'warn', 'Redis cannot be reached', { error: error.message });
    broken = true;
  });
  redis.on('ready', () => {
    if (broken) log.log('info', 'Redis is back');
    broken = false;
  });
}

/**
 * Closes a client for good: one for commands after those already sent, if it is connected, any other at once. Never
 * rejects, and never waits for a server that does not answer longer than a command would.
 */
export async function closeRedis(redis: Redis): Promise<void> {
  if (redis.status === 'ready' && redis.options.commandTimeout !== undefined) {
    await redis.quit().catch(() => undefined);
  }
  if (redis.status !== 'end') redis.disconnect();
}
