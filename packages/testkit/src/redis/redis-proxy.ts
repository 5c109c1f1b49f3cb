import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Stands between clients and a Redis on a unix socket, and breaks their connections when a test says so. */
export class RedisProxy {
  readonly #directory: string;
  readonly #target: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut = false;
  #losing = false;

  private constructor(directory: string, target: string) {
    this.#directory = directory;
    this.#target = target;
    this.#server = createServer((client) => this.#join(client));
  }

  /** `target` is an address like `unix:/path`. */
  static async start(target: string): Promise<RedisProxy> {
    const directory = await mkdtemp(join(tmpdir(), 'carillon-proxy-'));
    const proxy = new RedisProxy(directory, target.replace(/^unix:/, ''));
    proxy.#server.listen(join(directory, 'socket'));
    await once(proxy.#server, 'listening');
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
  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#cut = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
    await rm(this.#directory, { recursive: true, force: true });
  }

  #join(client: Socket): void {
    if (this.#cut) {
      client.destroy();
      return;
    }
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
