import {
  closeRedis,
  createRedis,
  type KeySpace,
  keySpace,
  type RedisConfig,
  type RedisUse,
} from '@carillon/adapters';
import { type PrivateRedis, RedisProxy, startPrivateRedis } from '@carillon/testkit';
import type { Redis } from 'ioredis';
import { MemoryLogger } from '../../src/logger/index.js';

/** The Redis of one test file, reached directly or through a proxy that can break connections. */
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

  /** One of several servers: the proxy stands before the one at `port`, which has the keys and keeps them. */
  static async of(server: PrivateRedis, port: number): Promise<TestRedis> {
    return new TestRedis(server, await RedisProxy.start(`redis://127.0.0.1:${port}`));
  }

  /** Key names that no other test uses; in a Redis Cluster all in one slot. */
  freshKeys(): KeySpace {
    this.#spaces += 1;
    return keySpace(`test${this.#spaces}:{carillon}`);
  }

  /** A client as in production, straight to the server. */
  connect(use: RedisUse = 'commands'): Redis {
    return this.#open({ url: this.server.url }, use);
  }

  /** The same through the proxy. */
  connectBreakable(use: RedisUse = 'commands'): Redis {
    const { url } = this.proxy;
    if (url.startsWith('unix:')) return this.#open({ url }, use);
    const { hostname: host, port } = new URL(url);
    return this.#open({ url: this.server.url, route: () => ({ host, port: Number(port) }) }, use);
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

  #open(config: Pick<RedisConfig, 'url' | 'route'>, use: RedisUse): Redis {
    const redis = createRedis({ ...config, log: new MemoryLogger() }, use);
    this.#clients.add(redis);
    return redis;
  }
}
