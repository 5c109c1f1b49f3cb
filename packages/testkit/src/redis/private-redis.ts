import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess } from './server-process.js';

/** A redis-server of one test, or several that belong together, with everything written to append-only files. */
export interface PrivateRedis {
  /** For CARILLON_REDIS_URL of nodes that are where the servers are: `unix:/path`, `redis://host:port` or that of several. */
  readonly url: string;
  /** What else nodes have to be told so that nothing acknowledged is lost with a server. */
  readonly settings: Readonly<Record<string, string>>;
  /** All that keep data, as this process reaches them. */
  readonly servers: readonly string[];
  /** The one of them that has the keys now. Rejects while there is none. */
  holder(): Promise<string>;
  /** Ends all of them cleanly; answers how to start them again. */
  outage(): Promise<() => Promise<void>>;
  /** Ends it without a chance to clean up. */
  kill9(): Promise<void>;
  /** Ends it cleanly; its data stay. */
  shutDown(): Promise<void>;
  /** Starts it again on the same data. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** Another place where servers run: through this command, on that address, at this port and those that follow it. */
export interface RedisSite {
  readonly through: readonly string[];
  readonly host: string;
  readonly port: number;
}

export interface PrivateRedisOptions {
  listen: 'unix' | 'tcp';
  /** Runs there, without asking who connects; this process reaches it through a Unix socket if it listens on one. */
  within?: RedisSite;
}

/** Starts a server in a fresh directory; resolves when it accepts connections. */
export async function startPrivateRedis({ listen, within }: PrivateRedisOptions): Promise<PrivateRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'carillon-redis-'));
  const port = within?.port ?? (listen === 'tcp' ? await freePort() : 0);
  const socket = join(directory, 'socket');
  const place = listen === 'tcp' ? ['--bind', '127.0.0.1'] : ['--unixsocket', socket];
  const beyond = within === undefined ? [] : ['--bind', within.host, '--protected-mode', 'no'];
  const settings = ['--appendonly', 'yes', '--save', '', '--hz', '100', '--dir', directory];
  const server = new ServerProcess(
    ['--port', String(port), ...place, ...beyond, ...settings],
    within?.through,
  );
  await server.start();
  const url = listen === 'tcp' ? `redis://127.0.0.1:${port}` : `unix:${socket}`;
  return {
    url: within === undefined ? url : `redis://${within.host}:${port}`,
    settings: {},
    servers: [url],
    holder: async () => url,
    outage: async () => {
      await server.end('SIGTERM');
      return () => server.start();
    },
    kill9: () => server.end('SIGKILL'),
    shutDown: () => server.end('SIGTERM'),
    restart: () => server.start(),
    stop: async () => {
      await server.end('SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Below those that systems give to outgoing connections, which could take a port between its choice and its use. */
const ports = { from: 10_000, to: 32_000 };

/** A port that was free a moment ago, and that nobody is given who does not ask for it by number. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = randomInt(ports.from, ports.to);
    if (await isFree(host, port)) return port;
  }
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}
