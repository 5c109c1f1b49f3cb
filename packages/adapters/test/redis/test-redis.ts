import { closeRedis, createRedis, type KeySpace, keySpace, type RedisUse } from '@carillon/adapters';
import { type PrivateRedis, RedisProxy, startPrivateRedis } from '@carillon/testkit';
import type { Redis } from 'ioredis';
import { MemoryLogger } from '../../src/logger/index.js';

/** A Redis server for one test file, reached through a proxy that can break connections. */
export class TestRedis {
  readonly server: PrivateRedis;
  readonly proxy: RedisProxy;
  readonly #clients = new Set<Redis>();
  #spaces = 0;

  private constructor(server: PrivateRedis, proxy: RedisProxy) {
    this.server = server;
    this.proxy = proxy;
  }

  static async start(): Promise<TestRedis> {
    const server = await startPrivateRedis({ listen: 'unix' });
    return new TestRedis(server, await RedisProxy.start(server.url));
  }

  /** Key names that no other test uses. */
  freshKeys(): KeySpace {
    this.#spaces += 1;
    return keySpace(`test${this.#spaces}`);
  }

  /** A client as in production, straight to the server. */
  connect(use: RedisUse = 'commands'): Redis {
    return this.#open(this.server.url, use);
  }

  /** The same through the proxy. */
  connectBreakable(use: RedisUse = 'commands'): Redis {
    return this.#open(this.proxy.url, use);
  }

  async disconnect(redis: Redis): Promise<void> {
    this.#clients.delete(redis);
    await closeRedis(redis);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#clients].map((redis) => closeRedis(redis)));
    await this.proxy.close();
    await this.server.stop();
  }

  #open(url: string, use: RedisUse): Redis {
    const redis = createRedis({ url, log: new MemoryLogger() }, use);
    this.#clients.add(redis);
    return redis;
  }
}
