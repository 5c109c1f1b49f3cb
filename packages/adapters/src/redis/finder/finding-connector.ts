import { createConnection, Socket } from 'node:net';
import { connect as connectSecurely, type ConnectionOptions } from 'node:tls';
import { AbstractConnector, type RedisOptions } from 'ioredis';
import type { HostPort } from '../redis-place.js';
import type { ServerFinder } from './server-finder.js';

/**
 * A connection silent for so long is asked about: the server of a connection that was cut off, or that hangs, may have
 * been replaced without a word.
 */
const silentMs = 2_000;

/**
 * Makes a client of one server connect, each time anew, to whichever server has the keys. All keys being on one
 * server at a time, also in a Redis Cluster, such a client needs no other, and keeps what a client of a whole cluster
 * does not promise: the order of its commands.
 */
export function findingConnector(
  finder: ServerFinder,
  tls: ConnectionOptions | undefined,
): NonNullable<RedisOptions['Connector']> {
  return class FindingConnector extends AbstractConnector {
    constructor(options: unknown) {
      super(disconnectTimeoutOf(options));
    }

    /** A server that is no longer, or not yet, the one that takes writes is left again. */
    override check(info: unknown): boolean {
      const role: unknown = typeof info === 'object' && info !== null ? Reflect.get(info, 'role') : undefined;
      return role === undefined || role === 'master';
    }

    /** Rejects only when it was given up: that ends the client. A failure is a connection that broke at once. */
    override async connect(): Promise<Socket> {
      this.connecting = true;
      const opened = await finder.find().then(
        (address) => (this.connecting ? open(address, finder, tls) : undefined),
        (error: unknown) => {
          this.firstError = error instanceof Error ? error : new Error(String(error));
          return new Socket().destroy();
        },
      );
      if (!this.connecting || opened === undefined) throw new Error('Connection is closed.');
      this.stream = opened;
      return opened;
    }
  };
}

function open(address: HostPort, finder: ServerFinder, tls: ConnectionOptions | undefined): Socket {
  const socket =
    tls === undefined
      ? createConnection(address.port, address.host)
      : connectSecurely({ ...address, ...tls });
  const watch = (): void => {
    if (!socket.destroyed) socket.setTimeout(silentMs);
  };
  const leaveIfMoved = (present: HostPort): void => {
    if (present.host !== address.host || present.port !== address.port) socket.destroy();
    else watch();
  };
  socket.on('timeout', () => void finder.find().then(leaveIfMoved, watch));
  // The client sets and clears a time limit of its own until it is connected.
  socket.once(tls === undefined ? 'connect' : 'secureConnect', () => setImmediate(watch));
  return socket;
}

function disconnectTimeoutOf(options: unknown): number {
  const given: unknown =
    typeof options === 'object' && options !== null ? Reflect.get(options, 'disconnectTimeout') : undefined;
  return typeof given === 'number' ? given : 0;
}
