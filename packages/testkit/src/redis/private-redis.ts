import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

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

/** Starts a server in a fresh directory; resolves when it accepts connections. */
export async function startPrivateRedis({ listen }: { listen: 'unix' | 'tcp' }): Promise<PrivateRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'carillon-redis-'));
  const port = listen === 'tcp' ? await freePort() : 0;
  const socket = join(directory, 'socket');
  const place = listen === 'tcp' ? ['--bind', '127.0.0.1'] : ['--unixsocket', socket];
  let server = await run(directory, port, place);
  return {
    url: listen === 'tcp' ? `redis://127.0.0.1:${port}` : `unix:${socket}`,
    kill9: () => end(server, 'SIGKILL'),
    shutDown: () => end(server, 'SIGTERM'),
    restart: async () => {
      server = await run(directory, port, place);
    },
    stop: async () => {
      await end(server, 'SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function run(directory: string, port: number, place: readonly string[]): Promise<ChildProcess> {
  const program = process.env['CARILLON_REDIS_SERVER'] ?? 'redis-server';
  const settings = ['--appendonly', 'yes', '--save', '', '--hz', '100', '--dir', directory];
  const server = spawn(program, ['--port', String(port), ...place, ...settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // A test run that dies leaves no server behind.
  const killed = (): void => void server.kill('SIGKILL');
  process.once('exit', killed);
  server.once('exit', () => process.removeListener('exit', killed));
  const lines = createInterface({ input: server.stdout });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`redis-server ended with code ${code}`)));
    lines.on('line', (line) => {
      if (/ready to accept connections/i.test(line)) resolve();
    });
  });
  return server;
}

async function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, 'exit');
  server.kill(signal);
  await exited;
}

/** A port that was free a moment ago. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
