import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Stands between clients and a Redis on a unix socket, and breaks their connections when a test says so. */
export class RedisProxy {
  readonly #directory: string;
  readonly #target: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #losing = false;

  private constructor(directory: string, target: string) {
    this.#directory = directory;
    this.#target = target;
  }

  /** `target` is an address like `unix:/path`. */
  static async start(target: string): Promise<RedisProxy> {
    const directory = await mkdtemp(join(tmpdir(), 'carillon-proxy-'));
    const proxy = new RedisProxy(directory, target.replace(/^unix:/, ''));
    await proxy.mend();
    return proxy;
  }

  get url(): string {
    return `unix:${join(this.#directory, 'socket')}`;
  }

  /** Breaks the connection instead of passing on the next reply: what was asked for is done all the same. */
  loseNextReply(): void {
    this.#losing = true;
  }

  /** Breaks every connection and refuses new ones, until `mend`. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (server === undefined) return;
    server.close();
    await once(server, 'close');
  }

  /** Accepts connections again; harmless when nothing was cut. */
  async mend(): Promise<void> {
    if (this.#server !== undefined) return;
    this.#server = createServer((client) => this.#join(client));
    this.#server.listen(join(this.#directory, 'socket'));
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    await this.cut();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #join(client: Socket): void {
    const redis = createConnection(this.#target);
    for (const [socket, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(redis);
    redis.on('data', (reply) => {
      if (!this.#losing) client.write(reply);
      else {
        this.#losing = false;
        client.destroy();
      }
    });
  }
}
