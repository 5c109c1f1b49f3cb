import { startPrivateRedis } from '@carillon/testkit';
import { Redis } from 'ioredis';

/** The Redis of a test file, with the clients that were made for it. */
export interface TestRedis {
  connect(options?: { maxRetriesPerRequest?: number | null; lazyConnect?: boolean }): Redis;
  /** Kills the server; its data stays. */
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

export async function startTestRedis(): Promise<TestRedis> {
  const server = await startPrivateRedis({ listen: 'unix' });
  const path = server.url.replace(/^unix:/, '');
  const clients: Redis[] = [];
  return {
    connect: (options = {}) => {
      const client = new Redis({ path, retryStrategy: () => 20, ...options });
      client.on('error', () => undefined);
      clients.push(client);
      return client;
    },
    down: () => server.kill9(),
    up: () => server.restart(),
    stop: async () => {
      // Disconnecting a lost connection leaves a timer behind.
      for (const client of clients) if (client.status !== 'end') client.disconnect();
      await server.stop();
    },
  };
}
