import { chmodSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CarillonClient } from '@carillon/client';
import { hasJoined, isServing, type NodeProcess, type PrimaryProcess, TestCluster } from '@carillon/testkit';

/*
 * A real node that runs as root, with groups and secrets of its own, and jobs of a plugin that names another user. Only root
 * can start such a job: elsewhere there is nothing to test.
 */

const whenRoot = process.getuid?.() === 0 ? describe : describe.skip;
const own = 'a secret of the node itself';

let cluster: TestCluster;
let node: PrimaryProcess;
let worker: NodeProcess;
let client: CarillonClient;

/** Parent of a process. */
const parentOf = 'awk \'{ print $4 }\' "/proc/$1/stat"';
const scriptOn = (name: string): string => {
  const data = cluster.dataDirectory(name);
  return [
    '#!/bin/sh',
    `parent() { ${parentOf}; }`,
    'echo "user $(id -u) groups $(id -G)"',
    'env | grep -c "^CARILLON_" | sed "s/^/own variables /"',
    // Up to the process that runs the jobs, and to the one above it.
    'pid=$$',
    'while [ "$pid" -gt 1 ]; do',
    '  pid=$(parent "$pid")',
    '  case "$(tr "\\0" " " < "/proc/$pid/cmdline" 2> /dev/null)" in',
    '  *worker-process.js* | *"carillon.js start"*)',
    '    echo "node found"',
    '    cat "/proc/$pid/environ" > /dev/null 2>&1 && echo "environment read"',
    `    tr "\\0" "\\n" < "/proc/$pid/environ" 2> /dev/null | grep "${own}" ;;`,
    '  esac',
    'done',
    // Scripts lie in the node's data directory: their user passes through it, and sees nothing of it.
    `for file in node-id node.lock worker/node.lock; do cat "${data}/$file" > /dev/null 2>&1 && echo "read $file"; done`,
    `for place in . worker worker/scripts worker/logs worker/detached worker/results; do`,
    `  ls "${data}/$place" > /dev/null 2>&1 && echo "saw $place"`,
    'done',
    'echo done',
  ].join('\n');
};

beforeAll(async () => {
  if (process.getuid?.() !== 0) return;
  const groups = process.getgroups?.() ?? [];
  cluster = await TestCluster.start();
  // Jobs of other users pass through it.
  chmodSync(cluster.directory, 0o711);
  const environment = { CARILLON_CLUSTER_SECRET: own };
  node = await cluster.primary('p1', { ...environment, CARILLON_ROLES: 'primary,worker' });
  worker = cluster.worker('w1', environment);
  process.setgroups?.([0, 4, 5]);
  node.start();
  worker.start();
  process.setgroups?.(groups);
  await node.waitForLine(isServing);
  await Promise.all(['p1', 'w1'].map((name) => node.waitForLine(hasJoined(name))));
  client = cluster.client(node);
  await client.call('create_plugin', {
    id: 'asnobody',
    title: 'Shell of nobody',
    command: 'builtin:shell',
    enabled: 1,
    uid: 'nobody',
    params: [{ id: 'script', type: 'textarea', title: 'Script', rows: 9, value: '' }],
  });
}, 60_000);

afterAll(async () => {
  await cluster?.close();
}, 60_000);

async function logOf(more: { target: string; plugin?: string; detached?: number }): Promise<string> {
  const base = {
    title: 'Who am I',
    enabled: 1,
    category: 'general',
    params: { script: scriptOn(more.target) },
  };
  const { id } = await client.createEvent({ ...base, plugin: 'asnobody', ...more });
  const { ids } = await client.runEvent({ id });
  const job = await client.waitForJob(String(ids[0]));
  expect(job).toMatchObject({ code: 0 });
  return client.jobLog(String(ids[0]));
}

whenRoot('a job of another user', () => {
  test.each([
    ['p1', 0],
    ['p1', 1],
    ['w1', 0],
    ['w1', 1],
  ])(
    'on %s, detached %d: has that user, its group alone, and sees no environment of the node',
    async (target, detached) => {
      const log = await logOf({ target, detached });
      expect(log).toContain('user 65534 groups 65534\n');
      // Its own mark.
      expect(log).toContain('own variables 1\n');
      expect(log).toContain('node found\n');
      expect(log).not.toContain('environment read');
      expect(log).not.toContain(own);
      expect(log.match(/^(read|saw) .*/gm) ?? []).toEqual(['read node.lock', 'read worker/node.lock']);
      expect(log).toContain('done\n');
    },
    30_000,
  );
});

whenRoot("a job of the node's own user", () => {
  test('beside a primary finds no setting in the process that starts it', async () => {
    const log = await logOf({ target: 'p1', plugin: 'shellplug' });
    expect(log).toContain('user 0 groups 0 4 5\n');
    expect(log).toContain('environment read');
    // What docs/security.md admits: the node above it is of the same user too, and does have its settings.
    expect(log).toContain(own);
    const ofWorker = readFileSync(`/proc/${workerOf(node.pid)}/environ`, 'utf8');
    expect(ofWorker).toContain('PATH=');
    expect(ofWorker).not.toMatch(/CARILLON_(?!LOG_FORMAT)/);
  }, 30_000);
});

/** The process that runs jobs for a node. */
function workerOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  const found = children.find((child) =>
    readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('worker-process'),
  );
  if (found === undefined) throw new Error('no worker process');
  return found;
}
