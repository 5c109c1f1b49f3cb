import { type FaultyClusterOptions, hasJoined, type LogLine } from '@carillon/testkit';
import { afterEach, expect, test } from '@jest/globals';
import { testOfCutsFromRedis } from './on-shapes.js';
import { Stage } from './stage.js';

/*
 * Workers that are killed or cut off while they run jobs, on real processes. A worker counts as lost after 5 s.
 */

let stage: Stage;

const testOfCuts = testOfCutsFromRedis();

const set = async (more: Partial<FaultyClusterOptions> = {}): Promise<void> => {
  stage = await Stage.set({ primaries: 1, workers: 2, ...more });
};

afterEach(async () => {
  await stage?.clear();
}, 60_000);

/** Where packets vanished for a moment only, its connection to the primary holds. */
const isBack = (line: LogLine): boolean =>
  hasJoined('w1')(line) || (line.message === 'A worker is alive' && line['hostname'] === 'w1');

const lostText = /^Aborted Job: Server 'w1' shut down unexpectedly/;

test('a worker is killed with 50 jobs: each ends once, and those with retries go on elsewhere', async () => {
  await set();
  const { faulty, client } = stage;
  const [first, second] = faulty.workers;
  const single = await stage.run(await stage.held('never', { target: 'w1' }), 25);
  // With algo prefer_first they start on w1, and the group has another server for the next attempt.
  const again = await stage.held('again', { algo: 'prefer_first' }, 1);
  const retried = await stage.run(again, 25);
  await stage.waitForLines('start', 50);
  expect(new Set(stage.lines.map(({ host }) => host))).toEqual(new Set(['w1']));
  await first?.process.kill9();
  await stage.waitForLines('start', 75);
  stage.release('again');
  expect(await stage.codesOf(single)).toEqual(single.map(() => 1));
  expect(await stage.codesOf(retried)).toEqual(retried.map(() => 0));
  const [one = ''] = single;
  expect((await client.getJobStatus({ id: one })).job.description).toMatch(lostText);
  const runs = stage.lines.filter(({ at }) => at === 'start').map(({ job, attempt }) => `${job}/${attempt}`);
  expect(new Set(runs).size).toBe(75);
  expect(second?.process.isRunning).toBe(true);
  expect((await client.getActiveJobs()).jobs).toEqual({});
  stage.release('never');
}, 120_000);

testOfCuts(
  'a worker is cut off for less than it takes to be lost: its job goes on',
  async () => {
    await set({ cutsFromRedis: true, peerSettings: { dead_job_timeout: 60 } });
    const { faulty, client } = stage;
    const [worker] = faulty.workers;
    if (worker === undefined) throw new Error('no worker');
    const [job = '', other = ''] = await stage.run(await stage.held('go', { target: 'w1' }), 2);
    await stage.waitForLines('start', 2);
    const { pid } = await stage.seen(job, (seen) => seen.pid !== undefined);
    await stage.seen(other, (seen) => seen.pid !== undefined);
    const { process } = faulty.leader;
    faulty.cutOff(worker);
    await stage.seen(other, ({ state }) => state === 'silent');
    const back = process.waitForNextLine(isBack);
    faulty.mend();
    await back;
    expect((await client.getJobStatus({ id: job })).job).toMatchObject({ state: 'running', pid });
    stage.release('go');
    expect(await stage.codesOf([job, other])).toEqual([0, 0]);
    expect(stage.lines).toHaveLength(4);
  },
  120_000,
);

testOfCuts(
  'a worker is cut off for longer: its job is lost, its process is ended when it is back, and it works again',
  async () => {
    await set({ cutsFromRedis: true });
    const { faulty, client } = stage;
    const [worker] = faulty.workers;
    if (worker === undefined) throw new Error('no worker');
    const [job = ''] = await stage.run(await stage.held('never', { target: 'w1' }));
    await stage.waitForLines('start', 1);
    const { pid = 0 } = await stage.seen(job, (seen) => seen.pid !== undefined);
    faulty.cutOff(worker);
    expect(await stage.codesOf([job])).toEqual([1]);
    expect((await client.getJobStatus({ id: job })).job.description).toMatch(lostText);
    expect(isAlive(pid)).toBe(true);
    const back = faulty.leader.process.waitForNextLine(hasJoined('w1'));
    faulty.mend();
    await back;
    while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
    expect(await stage.codesOf([job])).toEqual([1]);
    expect(await stage.codesOf(await stage.run(await stage.quick({ target: 'w1' })))).toEqual([0]);
  },
  60_000,
);

test('a worker is paused until it is lost, and resumed: the job has ended once, as lost', async () => {
  await set();
  const { faulty, client } = stage;
  const [worker] = faulty.workers;
  const [job = ''] = await stage.run(await stage.held('end', { target: 'w1' }));
  await stage.waitForLines('start', 1);
  worker?.process.pause();
  // Its process goes on and ends: a result that comes too late.
  stage.release('end');
  await stage.waitForLines('end', 1);
  expect(await stage.codesOf([job])).toEqual([1]);
  const back = faulty.leader.process.waitForNextLine(hasJoined('w1'));
  worker?.process.resume();
  await back;
  expect(await stage.codesOf(await stage.run(await stage.quick({ target: 'w1' })))).toEqual([0]);
  expect(await stage.codesOf([job])).toEqual([1]);
  expect((await client.getActiveJobs()).jobs).toEqual({});
}, 60_000);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
