import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess } from './server-process.js';

/** A redis-server of one test, with everything written to its append-only file. */
export interface PrivateRedis {
  /** `unix:/path` or `redis://127.0.0.1:port`. */
  readonly url: string;
  /** Ends it without a chance to clean up. */
  kill9(): Promise<void>;
  /** Ends it cleanly; its data stay. */
  shutDown(): Promise<void>;
  /** Starts it again on the same data. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export interface PrivateRedisOptions {
  listen: 'unix' | 'tcp';
  /** Runs through this command, at a place where it also listens on that address, without asking who connects. */
  within?: { through: readonly string[]; host: string; port: number };
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
  return {
    url: listen === 'tcp' ? `redis://127.0.0.1:${port}` : `unix:${socket}`,
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
