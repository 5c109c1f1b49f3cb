import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';

export interface TcpAddress {
  readonly host: string;
  readonly port: number;
}

/** Which connections a fault is for, by the port of the client's end. */
export type OfConnection = (clientPort: number) => boolean;

interface Pair {
  readonly client: Socket;
  readonly target: Socket;
}

const all: OfConnection = () => true;

/** A stretch of network between clients and one server that breaks, or falls silent, when a test says so. */
export class TcpProxy {
  readonly address: TcpAddress;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #cut: OfConnection | undefined;
  #frozen = false;

  private constructor(server: Server, address: TcpAddress) {
    this.#server = server;
    this.address = address;
  }

  /** Listens on a free port of `host`. */
  static async start(host: string, target: TcpAddress): Promise<TcpProxy> {
    const server = createServer();
    server.listen(0, host);
    await once(server, 'listening');
    const place = server.address();
    if (place === null || typeof place === 'string') throw new Error('no port');
    const proxy = new TcpProxy(server, { host, port: place.port });
    server.on('connection', (client) => proxy.#join(client, target));
    return proxy;
  }

  /** Breaks the connections that are meant, and each new one of them as soon as it is made, until `mend`. */
  cut(which: OfConnection = all): void {
    this.#cut = which;
    for (const { client, target } of this.#pairs) {
      if (!which(client.remotePort ?? 0)) continue;
      client.destroy();
      target.destroy();
    }
  }

  /**
   * Lets nothing through in either direction, while connections stay: nobody is told. What is sent meanwhile arrives
   * after `mend`, late.
   */
  freeze(): void {
    this.#frozen = true;
    for (const { client, target } of this.#pairs) {
      client.pause();
      target.pause();
    }
  }

  /** Ends `cut` and `freeze`; harmless without. */
  mend(): void {
    this.#cut = undefined;
    this.#frozen = false;
    for (const { client, target } of this.#pairs) {
      client.resume();
      target.resume();
    }
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket, address: TcpAddress): void {
    if (this.#cut?.(client.remotePort ?? 0)) {
      client.destroy();
      return;
    }
    const target = createConnection(address.port, address.host);
    const pair = { client, target };
    this.#pairs.add(pair);
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', (data) => {
        if (!to.write(data)) from.pause();
      });
      to.on('drain', () => {
        if (!this.#frozen) from.resume();
      });
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#pairs.delete(pair);
        to.destroy();
      });
    }
    if (!this.#frozen) return;
    client.pause();
    target.pause();
  }
}
