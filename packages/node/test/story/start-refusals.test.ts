import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, NodeProcess } from '@carillon/testkit';
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
function nodeWith(environment: Record<string, string>): NodeProcess {
  const { CARILLON_REDIS_SERVER: program } = process.env;
  const redis: Record<string, string> = program === undefined ? {} : { CARILLON_REDIS_SERVER: program };
  const node = new NodeProcess('alone', { ...redis, ...environment });
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
    expect(await ended).toBe(null);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  },
  30_000,
);
