import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cancel } from '@carillon/core';
import { deferred } from '@carillon/testkit';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { SystemClock } from '../../src/clock/index.js';
import { DirectoryLock, EmbeddedRedis, type EmbeddedRedisOptions } from '../../src/embedded-redis/index.js';
import { findServer } from '../../src/embedded-redis/find-server.js';
import { isPidAlive } from '../../src/embedded-redis/process-table.js';
import { askRedis, redisPid } from '../../src/embedded-redis/redis-socket.js';
import { MemoryLogger } from '../../src/logger/index.js';
import { SystemRandom } from '../../src/random/index.js';

const clock = new SystemClock();
let directory: string;
let lock: DirectoryLock;
const clients: Redis[] = [];
const servers: EmbeddedRedis[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'carillon-redis-'));
  lock = await DirectoryLock.acquire(directory, clock, new SystemRandom());
});
afterEach(async () => {
  for (const client of clients.splice(0)) if (client.status !== 'end') client.disconnect();
  for (const server of servers.splice(0)) await server.stop();
  await lock.release();
  await rm(directory, { recursive: true, force: true });
});

function open(options: Partial<EmbeddedRedisOptions> = {}): EmbeddedRedis {
  const server = new EmbeddedRedis({ lock, clock, log: new MemoryLogger(), ...options });
  servers.push(server);
  return server;
}

function connect(socketPath: string, retryMs: number | null = 10): Redis {
  const client = new Redis({ path: socketPath, retryStrategy: () => retryMs, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

async function pidOf(socketPath: string): Promise<number> {
  const pid = await redisPid(socketPath, clock);
  if (pid === undefined) throw new Error('no server');
  return pid;
}

/** A search path with the server but without `flock`. */
async function withoutFlock(): Promise<string> {
  const bin = join(directory, 'bin');
  await mkdir(bin);
  const { file } = findServer(undefined, process.env['PATH'] ?? '', undefined);
  await writeFile(join(bin, 'redis-server'), `#!/bin/sh\nexec ${file} "$@"\n`);
  await chmod(join(bin, 'redis-server'), 0o755);
  return bin;
}

describe('a sound server', () => {
  test('is durable, private, and gone after the stop', async () => {
    const server = open();
    const { socketPath } = await server.start();
    const client = connect(socketPath);
    const setting = async (name: string): Promise<unknown> => (await client.config('GET', name))[1];
    expect(await setting('appendonly')).toBe('yes');
    expect(await setting('appendfsync')).toBe('everysec');
    expect(await setting('maxmemory-policy')).toBe('noeviction');
    expect(await setting('save')).toBe('');
    expect(await setting('hz')).toBe('100');
    expect(await setting('port')).toBe('0');
    expect((await stat(socketPath)).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, 'redis'))).mode & 0o777).toBe(0o700);
    const pid = await pidOf(socketPath);
    client.disconnect();
    await server.stop();
    await server.stop();
    expect(isPidAlive(pid)).toBe(false);
    expect(await askRedis(socketPath, ['PING'], clock)).toBeUndefined();
  });

  test('keeps what was written over a stop and a start', async () => {
    const first = open();
    const { socketPath } = await first.start();
    const client = connect(socketPath);
    await client.set('key', 'value');
    client.disconnect();
    await first.stop();
    await open().start();
    expect(await connect(socketPath).get('key')).toBe('value');
  });

  test('gets a short socket path when the directory is deep', async () => {
    const deep = join(directory, 'with a blank and "quotes"', 'd'.repeat(100));
    const deepLock = await DirectoryLock.acquire(deep, clock, new SystemRandom());
    const server = open({ lock: deepLock });
    const { socketPath } = await server.start();
    expect(Buffer.byteLength(socketPath)).toBeLessThanOrEqual(107);
    const client = connect(socketPath);
    const [, dir] = await client.config('GET', 'dir');
    client.disconnect();
    expect(dir).toBe(join(deep, 'redis'));
    expect((await stat(join(socketPath, '..'))).mode & 0o777).toBe(0o700);
    await server.stop();
    await deepLock.release();
    await rm(join(socketPath, '..'), { recursive: true, force: true });
  });
});

describe('supervision', () => {
  test.each(['with', 'without'])('a killed server comes back with its data (%s flock)', async (flock) => {
    const log = new MemoryLogger();
    const server = open({ log, ...(flock === 'with' ? {} : { searchPath: await withoutFlock() }) });
    const { socketPath } = await server.start();
    const client = connect(socketPath);
    for (let round = 0; round < 3; round += 1) {
      await client.set(`key${round}`, 'value');
      const pid = await pidOf(socketPath);
      const back = new Promise((resolve) => client.once('ready', resolve));
      process.kill(pid, 'SIGKILL');
      await back;
      expect(await client.get(`key${round}`)).toBe('value');
      expect(await pidOf(socketPath)).not.toBe(pid);
    }
    expect(log.lines.filter((line) => line.level === 'error').length).toBe(3);
    const pid = await pidOf(socketPath);
    client.disconnect();
    await server.stop();
    expect(isPidAlive(pid)).toBe(false);
  });

  test.each(['with', 'without'])(
    'a server left behind is adopted, watched and ended (%s flock)',
    async (flock) => {
      const searchPath = flock === 'with' ? (process.env['PATH'] ?? '') : await withoutFlock();
      // A node that dies without a stop: its lock is given up, its server runs on, nobody watches it.
      const crashed = new EmbeddedRedis({ lock, clock, log: new MemoryLogger(), searchPath });
      const { socketPath } = await crashed.start();
      const orphan = await pidOf(socketPath);
      const log = new MemoryLogger();
      const server = open({ log, searchPath });
      expect(await server.start()).toEqual({ socketPath });
      expect(await pidOf(socketPath)).toBe(orphan);
      expect(log.lines.map((line) => line.message)).toContain('A Redis server that was left running is used');
      await Promise.all([server.stop(), crashed.stop()]);
      expect(isPidAlive(orphan)).toBe(false);
    },
  );

  test('a stop while it is being restarted leaves no process', async () => {
    const server = open();
    const { socketPath } = await server.start();
    const client = connect(socketPath, null);
    await client.ping();
    const ended = new Promise((resolve) => client.once('end', resolve));
    process.kill(await pidOf(socketPath), 'SIGKILL');
    await ended;
    await server.stop();
    expect(await askRedis(socketPath, ['PING'], clock)).toBeUndefined();
  });

  test('a stop while it starts leaves no process', async () => {
    const server = open();
    const starting = server.start().then(
      () => 'started',
      () => 'refused',
    );
    await server.stop();
    expect(['started', 'refused']).toContain(await starting);
    expect(await askRedis(join(directory, 'redis', 'redis.sock'), ['PING'], clock)).toBeUndefined();
  });

  test('a stop while it is asked whether a server runs already starts none', async () => {
    const program = join(directory, 'silent-server');
    await writeFile(program, `#!/bin/sh\ntouch ${directory}/started\nexec sleep 1000\n`, { mode: 0o755 });
    const stopped = deferred<void>();
    // Every question has a time limit.
    class StoppingClock extends SystemClock {
      override after(delayMs: number, run: () => void): Cancel {
        server.stop().then(stopped.resolve, stopped.reject);
        return super.after(delayMs, run);
      }
    }
    const server: EmbeddedRedis = open({ program, clock: new StoppingClock() });
    await expect(server.start()).rejects.toThrow('Stopped while Redis was starting');
    await stopped.promise;
    await expect(stat(join(directory, 'started'))).rejects.toThrow('ENOENT');
  });
});

describe('what cannot be started', () => {
  test('no program: the text tells how to get one', async () => {
    await expect(open({ searchPath: '/nonexistent', cacheDir: '/nonexistent' }).start()).rejects.toThrow(
      /apt-get install redis-server.*CARILLON_REDIS_URL/,
    );
    await expect(open({ program: '/nonexistent/redis' }).start()).rejects.toThrow('/nonexistent/redis');
  });

  test('damaged data: the text ends with the log of the server', async () => {
    const first = open();
    const { socketPath } = await first.start();
    const client = connect(socketPath);
    await client.set('key', 'value');
    client.disconnect();
    await first.stop();
    const manifest = join(directory, 'redis', 'appendonlydir', 'appendonly.aof.manifest');
    await writeFile(manifest, 'nonsense');
    await expect(open().start()).rejects.toThrow(/does not start: exit code 1.*redis\.log/s);
    expect(await readFile(manifest, 'utf8')).toBe('nonsense');
  });

  test('a server that somebody else runs on the same files is not joined by a second one', async () => {
    const first = open();
    const { socketPath } = await first.start();
    // What a second node without the lock would do.
    const { file } = findServer(undefined, process.env['PATH'] ?? '', undefined);
    const files = join(directory, 'redis');
    const second = spawn('flock', [
      '-n',
      '-E',
      '75',
      '--no-fork',
      join(files, 'server.lock'),
      file,
      join(files, 'redis.conf'),
    ]);
    const code = await new Promise((resolve) => second.once('exit', resolve));
    expect(code).toBe(75);
    expect(await askRedis(socketPath, ['PING'], clock)).toBe('+PONG');
  });
});

test('a program is found in the cache directory, with its libraries', async () => {
  const bin = join(directory, 'cache', 'bin');
  await mkdir(bin, { recursive: true });
  await mkdir(join(directory, 'cache', 'lib'));
  await writeFile(join(bin, 'valkey-server'), '#!/bin/sh\n');
  await writeFile(join(bin, 'redis-server'), 'not executable');
  await chmod(join(bin, 'valkey-server'), 0o755);
  expect(findServer(undefined, '', join(directory, 'cache'))).toEqual({
    file: join(bin, 'valkey-server'),
    libraryPath: join(directory, 'cache', 'lib'),
  });
});
