import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CarillonClient } from '@carillon/client';
import { type LogLine, type NodeProcess, type PrimaryProcess, TestCluster } from '@carillon/testkit';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

/*
 * Detached jobs on real processes, with workers that are killed or restarted under them.
 */

const serves = (line: LogLine) => line.message === 'The API is served by this node';
const joined = (line: LogLine) => line.message === 'A worker joined';

type LiveJob = Parameters<Parameters<CarillonClient['watchJob']>[1]['onJob'] & object>[0];

let cluster: TestCluster;
let client: CarillonClient;
/** Process groups that a failed test would leave behind. */
let groups: number[];

beforeEach(async () => {
  cluster = await TestCluster.start();
  groups = [];
});

afterEach(async () => {
  await cluster.close();
  for (const group of groups) {
    try {
      process.kill(-group, 'SIGKILL');
    } catch {
      // It has ended, as it should.
    }
  }
}, 60_000);

/** Prints numbered lines and progress until there is a file `stop`; notes in `starts` that it was started. */
const counter = (directory: string): string => `#!/bin/sh
echo $$ >> ${directory}/starts
n=0
until [ -e ${directory}/stop ]; do
  n=$((n + 1)); echo "line $n"; [ $n -lt 1000 ] && echo "$((n / 10))%"; sleep 0.02
done
echo "last $n"
`;

const createEvent = async (script: string, detached: 0 | 1 = 1): Promise<string> => {
  const { id } = await client.createEvent({
    title: 'Detached',
    enabled: 1,
    category: 'general',
    plugin: 'shellplug',
    target: 'allgrp',
    detached,
    params: { script },
  });
  return id;
};

/** Follows a job to its end, through all that happens to its worker and its primary. */
class Watch {
  readonly ended: Promise<LiveJob>;
  #seen: LiveJob | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(id: string) {
    const onJob = (job: LiveJob): void => {
      this.#seen = job;
      for (const look of this.#waiting) look();
    };
    this.ended = client.watchJob(id, { onJob });
    // A failed test ends it with its client.
    this.ended.catch(() => undefined);
  }

  /** The job as soon as it satisfies the condition. The test's own time limit ends the wait. */
  until(condition: (job: LiveJob) => boolean): Promise<LiveJob> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#seen === undefined || !condition(this.#seen)) return;
        this.#waiting.delete(look);
        resolve(this.#seen);
      };
      this.#waiting.add(look);
      look();
    });
  }
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

interface Counting {
  event: string;
  id: string;
  pid: number;
  watch: Watch;
}

/** Starts the counting job and waits for some progress. */
const startCounting = async (): Promise<Counting> => {
  const event = await createEvent(counter(cluster.directory));
  const id = (await client.runEvent({ id: event })).ids[0] ?? '';
  const watch = new Watch(id);
  const { pid = 0 } = await watch.until((job) => (job.progress ?? 0) > 0.01);
  groups.push(pid);
  return { event, id, pid, watch };
};

/** The counting job has gone on all the time, moves on, ends well, and is whole. */
const expectWhole = async ({ event, id, pid, watch }: Counting): Promise<void> => {
  expect(isAlive(pid)).toBe(true);
  const { job: before } = await client.getJobStatus({ id });
  expect(before).toMatchObject({ state: 'running', pid });
  const after = await watch.until((job) => (job.progress ?? 0) > (before.progress ?? 0));
  expect(after.pid).toBe(pid);
  writeFileSync(join(cluster.directory, 'stop'), '');
  expect(await watch.ended).toMatchObject({ complete: 1, code: 0, pid });
  const log = await client.jobLog(id);
  const lines = log.split('\n').filter((line) => /^(line|last) /.test(line));
  const count = lines.length - 1;
  expect(count).toBeGreaterThan(10);
  expect(lines).toEqual([...Array.from({ length: count }, (_, n) => `line ${n + 1}`), `last ${count}`]);
  const { rows } = await client.getEventHistory({ id: event });
  expect(rows.map((row) => [row.id, row.code])).toEqual([[id, 0]]);
  expect(readFileSync(join(cluster.directory, 'starts'), 'utf8').trim().split('\n')).toHaveLength(1);
};

describe('a worker on its own', () => {
  let primary: PrimaryProcess;
  let worker: NodeProcess;
  beforeEach(async () => {
    primary = await cluster.primary('p1');
    worker = cluster.worker('w1');
    primary.start();
    await primary.waitForLine(serves);
    worker.start();
    await primary.waitForLine(joined);
    client = cluster.client(primary);
  }, 60_000);

  test('is killed: the process goes on, its log is whole, and it ends once', async () => {
    const started = await startCounting();
    await worker.kill9();
    const back = primary.waitForNextLine(joined);
    worker.start();
    await back;
    await expectWhole(started);
  }, 60_000);

  test('is killed for good while the job ends: the result is there when it comes back', async () => {
    const started = await startCounting();
    await worker.kill9();
    writeFileSync(join(cluster.directory, 'stop'), '');
    while (isAlive(started.pid)) await new Promise((resolve) => setImmediate(resolve));
    const back = primary.waitForNextLine(joined);
    worker.start();
    await back;
    expect(await started.watch.ended).toMatchObject({ complete: 1, code: 0, pid: started.pid });
    expect(await client.jobLog(started.id)).toMatch(/\nline 1\nline 2\n[^]*\nlast \d+\n/);
  }, 60_000);

  test('stops cleanly without waiting, and an abort works after it has come back', async () => {
    const started = await startCounting();
    expect(await worker.stop()).toBe(0);
    expect(isAlive(started.pid)).toBe(true);
    const back = primary.waitForNextLine(joined);
    worker.start();
    await back;
    await client.abortJob({ id: started.id });
    const job = await started.watch.ended;
    expect(job).toMatchObject({
      code: 1,
      description: expect.stringContaining('Job Aborted: Manually aborted'),
    });
    while (isAlive(started.pid)) await new Promise((resolve) => setImmediate(resolve));
  }, 60_000);

  test('hears of the end of a process at once', async () => {
    const event = await createEvent(
      '#!/bin/sh\ndate +%s.%N > $TIMES\n'.replace('$TIMES', join(cluster.directory, 'end')),
    );
    const delaysMs: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const id = (await client.runEvent({ id: event })).ids[0] ?? '';
      expect(await client.waitForJob(id)).toMatchObject({ code: 0 });
      const endedMs = Number(readFileSync(join(cluster.directory, 'end'), 'utf8')) * 1000;
      delaysMs.push(Date.now() - endedMs);
    }
    // Beside the worker this is the primary, and the way to this client.
    expect(Math.min(...delaysMs)).toBeLessThan(500);
  }, 60_000);
});

describe('a node with both roles', () => {
  let node: PrimaryProcess;
  beforeEach(async () => {
    node = await cluster.primary('solo', { CARILLON_ROLES: 'primary,worker' });
    node.start();
    await node.waitForLine(joined);
    client = cluster.client(node);
  }, 60_000);

  const startAgain = async (): Promise<void> => {
    const back = node.waitForNextLine(joined);
    node.start();
    await back;
  };

  test('is restarted', async () => {
    const started = await startCounting();
    expect(await node.stop()).toBe(0);
    await startAgain();
    await expectWhole(started);
  }, 60_000);

  test('is killed', async () => {
    const started = await startCounting();
    await node.kill9();
    await startAgain();
    await expectWhole(started);
  }, 60_000);

  test('is killed while an attached job runs: its next worker moves in when the earlier one has ended', async () => {
    const started = await startCounting();
    const flag = join(cluster.directory, 'attached-stop');
    const attachedEvent = await createEvent(`#!/bin/sh\nuntil [ -e ${flag} ]; do sleep 0.02; done`, 0);
    const attached = new Watch((await client.runEvent({ id: attachedEvent })).ids[0] ?? '');
    await attached.until((job) => job.state === 'running');
    await node.kill9();
    const beside = node.waitForNextLine(({ message }) => message.startsWith('An earlier worker'));
    const goesOn = node.waitForNextLine(({ message }) => message.startsWith('A detached run of an earlier'));
    await startAgain();
    const spare = join(cluster.directory, 'solo', `worker-${String((await beside)['worker'])}`);
    expect(existsSync(spare)).toBe(true);
    writeFileSync(flag, '');
    const at = node.lines.indexOf(await goesOn);
    await node.waitForLine((line) => joined(line) && node.lines.indexOf(line) > at);
    expect(await attached.ended).toMatchObject({ code: 0 });
    await expectWhole(started);
    expect(await node.stop()).toBe(0);
    expect(existsSync(spare)).toBe(false);
  }, 60_000);

  test('loses its worker process, and starts another', async () => {
    const started = await startCounting();
    const [child = 0] = readFileSync(`/proc/${node.pid}/task/${node.pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .map(Number);
    const back = node.waitForNextLine(joined);
    process.kill(child, 'SIGKILL');
    await back;
    await expectWhole(started);
  }, 60_000);
});
