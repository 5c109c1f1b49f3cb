import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRedis, MemoryLogger } from '@carillon/adapters';
import {
  asFirstProcess,
  createTestAuthority,
  deferred,
  describeAsFirstProcess,
  firstProcessOf,
  freePort,
  NodeProcess,
  RedisMonitor,
} from '@carillon/testkit';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

/*
 * What real nodes say when they cannot start because of their surroundings.
 */

let directory: string;
let nodes: NodeProcess[];
let occupant: Server | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'carillon-refusal-'));
  nodes = [];
});

afterEach(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  occupant?.close();
  occupant = undefined;
  rmSync(directory, { recursive: true, force: true });
}, 30_000);

/** A node with a Redis of its own. */
function nodeWith(environment: Record<string, string>, through: readonly string[] = []): NodeProcess {
  const { CARILLON_REDIS_SERVER: program } = process.env;
  const redis: Record<string, string> = program === undefined ? {} : { CARILLON_REDIS_SERVER: program };
  const node = new NodeProcess('alone', { ...redis, ...environment }, through);
  nodes.push(node);
  return node;
}

/** The exit code of a node that does not start, and what it says to people, line by line. */
async function refusalOf(node: NodeProcess): Promise<{ exitCode: number | null; says: string[] }> {
  node.start();
  const exitCode = await node.exited();
  return { exitCode, says: node.lines.filter(({ level }) => level === 'text').map(({ message }) => message) };
}

test.each([
  ['a file has its place', 'data', 'data'],
  ['a part of its path is a file', 'data', 'data/node'],
])(
  'a data directory that cannot be made is named with the setting: %s',
  async (reason, file, path) => {
    writeFileSync(join(directory, file), 'precious');
    const dataDir = join(directory, path);
    const port = String(await freePort());
    const node = nodeWith({ CARILLON_DATA_DIR: dataDir, CARILLON_HTTP_PORT: port });
    expect(await refusalOf(node)).toEqual({
      exitCode: 1,
      says: [
        `carillon: The data directory ${dataDir} cannot be created: ${reason}; name another with --data-dir or CARILLON_DATA_DIR`,
      ],
    });
  },
  30_000,
);

test('a file of the data directory that cannot be used is named', async () => {
  const dataDir = join(directory, 'data');
  mkdirSync(join(dataDir, 'node-id'), { recursive: true });
  const port = String(await freePort());
  const { exitCode, says } = await refusalOf(
    nodeWith({ CARILLON_DATA_DIR: dataDir, CARILLON_HTTP_PORT: port }),
  );
  expect(exitCode).toBe(1);
  expect(says).toEqual([expect.stringMatching(/^carillon: .*\/data\/node-id cannot be read: EISDIR/)]);
}, 30_000);

test('a port in use is named with the setting, and nothing is left behind that keeps the node from starting then', async () => {
  occupant = createServer().listen(0, '127.0.0.1');
  await once(occupant, 'listening');
  const { port } = occupant.address() as AddressInfo;
  const node = nodeWith({
    CARILLON_DATA_DIR: join(directory, 'data'),
    CARILLON_HTTP_PORT: String(port),
  });
  expect(await refusalOf(node)).toEqual({
    exitCode: 1,
    says: [
      `carillon: Port ${port} on 127.0.0.1 is in use: stop the other program, or choose another port with --port or CARILLON_HTTP_PORT`,
    ],
  });
  occupant.close();
  await once(occupant, 'close');
  node.start();
  await node.waitForLine(({ message }) => message === 'The node runs');
}, 60_000);

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s during the start ends the node, and its Redis with it',
  async (signal) => {
    const dataDir = join(directory, 'data');
    mkdirSync(dataDir);
    const program = join(directory, 'redis-server');
    // Says that it was started, and never answers.
    const pidFile = join(directory, 'pid');
    writeFileSync(
      program,
      `#!/bin/sh\necho $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; exec sleep 1000\n`,
      {
        mode: 0o755,
      },
    );
    const changes = watch(directory);
    const port = String(await freePort());
    const node = nodeWith({
      CARILLON_DATA_DIR: dataDir,
      CARILLON_HTTP_PORT: port,
      CARILLON_REDIS_SERVER: program,
    });
    node.start();
    while (!existsSync(pidFile)) await once(changes, 'change');
    changes.close();
    const pid = Number(readFileSync(pidFile, 'utf8'));
    const ended = node.exited();
    node.signal(signal);
    await ended;
    expect(node.endedBy).toBe(signal);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  },
  30_000,
);

/** A node whose Redis is elsewhere and not there, waiting for it. */
async function waitingNode(through: readonly string[] = []): Promise<NodeProcess> {
  const [port, redisPort] = [await freePort(), await freePort()];
  const node = nodeWith(
    {
      CARILLON_DATA_DIR: join(directory, 'data'),
      CARILLON_HTTP_PORT: String(port),
      CARILLON_REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    },
    through,
  );
  node.start();
  await node.waitForLine(({ message }) => message === 'Redis cannot be reached');
  return node;
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s ends a node that waits for Redis',
  async (signal) => {
    const node = await waitingNode();
    node.signal(signal);
    await node.exited();
    expect(node.endedBy).toBe(signal);
    // Its lock is free again: the next one gets as far.
    const next = await waitingNode();
    await next.stop();
  },
  30_000,
);

describeAsFirstProcess('the first process of a container', () => {
  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)(
    '%s during the start ends it, with the exit code of a shell',
    async (signal, exitCode) => {
      const node = await waitingNode(asFirstProcess);
      try {
        process.kill(firstProcessOf(node.pid), signal);
        expect(await node.exited()).toBe(exitCode);
      } finally {
        await node.kill9();
      }
    },
    30_000,
  );
});

test('a signal while the primary starts waits for it, then ends everything: no Redis, no worker, no node that runs', async () => {
  const dataDir = join(directory, 'data');
  const authorities = join(directory, 'authorities.pem');
  // Read when Redis has answered, and before the primary starts.
  execFileSync('mkfifo', [authorities]);
  const node = nodeWith({
    CARILLON_DATA_DIR: dataDir,
    CARILLON_HTTP_PORT: String(await freePort()),
    CARILLON_TLS_CA: authorities,
  });
  node.start();
  const writer = await open(authorities, 'w');
  const pid = Number(readFileSync(join(dataDir, 'redis', 'redis.pid'), 'utf8'));
  const url = `unix:${join(dataDir, 'redis', 'redis.sock')}`;
  // No lease can be had meanwhile, without which the start does not end; questions are answered.
  const redis = createRedis({ url, log: new MemoryLogger() }, 'commands');
  await redis.call('CLIENT', 'PAUSE', '60000', 'WRITE');
  const asked = deferred<void>();
  const monitor = await RedisMonitor.start(url, ([command = '']) => {
    if (command.toLowerCase() === 'time') asked.resolve();
  });
  try {
    await writer.writeFile(createTestAuthority().ca);
    await writer.close();
    await asked.promise;
    node.signal('SIGTERM');
    await node.waitForLine(({ message }) => message === 'The start is cut short');
    await redis.call('CLIENT', 'UNPAUSE');
    // A worker process would keep the output open.
    await node.exited();
  } finally {
    monitor.close();
    redis.disconnect();
  }
  expect(node.endedBy).toBe('SIGTERM');
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  const said = node.lines.map(({ message }) => message);
  expect(said).not.toContain('The node runs');
  // Redis was not taken from under the primary.
  expect(said).not.toContain('Redis cannot be reached');
}, 30_000);
