import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './private-redis.js';

/** Where a Redis, or the proxy before it, listens. */
type Place = { readonly path: string } | { readonly host: string; readonly port: number };

/** Stands between clients and a Redis, and breaks their connections when a test says so. */
export class RedisProxy {
  readonly #directory: string;
  readonly #target: Place;
  readonly #place: Place;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #losing = false;

  private constructor(directory: string, target: Place, place: Place) {
    this.#directory = directory;
    this.#target = target;
    this.#place = place;
  }

  /** `target` is an address like `unix:/path` or `redis://host:port`; the proxy listens in the same way. */
  static async start(target: string): Promise<RedisProxy> {
    const directory = await mkdtemp(join(tmpdir(), 'carillon-proxy-'));
    const proxy = target.startsWith('unix:')
      ? new RedisProxy(directory, { path: target.slice(5) }, { path: join(directory, 'socket') })
      : new RedisProxy(directory, placeOf(target), { host: '127.0.0.1', port: await freePort() });
    await proxy.mend();
    return proxy;
  }

  get url(): string {
    return 'path' in this.#place ? `unix:${this.#place.path}` : `redis://127.0.0.1:${this.#place.port}`;
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
    this.#server.listen(this.#place);
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

function placeOf(url: string): Place {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}
