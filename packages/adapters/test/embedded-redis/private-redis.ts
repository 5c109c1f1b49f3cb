import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { SystemClock } from '../../src/clock/index.js';
import { DirectoryLock, EmbeddedRedis } from '../../src/embedded-redis/index.js';
import { MemoryLogger } from '../../src/logger/index.js';
import { SystemRandom } from '../../src/random/index.js';

/** A Redis server of the test file's own, with the clients that were made for it. */
export interface PrivateRedis {
  connect(options?: RedisOptions): Redis;
  /** Ends the server; its data stays. */
  down(): Promise<void>;
  /** Starts it again. */
  up(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPrivateRedis(): Promise<PrivateRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'carillon-test-'));
  const clock = new SystemClock();
  const lock = await DirectoryLock.acquire(directory, clock, new SystemRandom());
  const begin = (): EmbeddedRedis => new EmbeddedRedis({ lock, clock, log: new MemoryLogger() });
  let server = begin();
  const { socketPath } = await server.start();
  const clients: Redis[] = [];
  return {
    connect: (options = {}) => {
      const client = new Redis({ path: socketPath, retryStrategy: () => 20, ...options });
      client.on('error', () => undefined);
      clients.push(client);
      return client;
    },
    down: () => server.stop(),
    up: async () => {
      server = begin();
      await server.start();
    },
    stop: async () => {
      for (const client of clients) if (client.status !== 'end') client.disconnect();
      await server.stop();
      await lock.release();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
