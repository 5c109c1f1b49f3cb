import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { event as eventOf } from './calls-under-way.js';
import { Stage } from './stage.js';

/*
 * Redis restarts, is killed and stays away while jobs run, on real processes.
 */

let stage: Stage;
let over: AbortController;

beforeEach(async () => {
  over = new AbortController();
  stage = await Stage.set({ primaries: 2, workers: 2 });
}, 60_000);

afterEach(async () => {
  over.abort();
  await stage?.clear();
}, 60_000);

/** Each job has started once. */
const startsOf = (): string[] => stage.lines.flatMap(({ at, job }) => (at === 'start' ? [job] : [])).sort();

for (const [how, end] of [
  ['restarts', 'shutDown'],
  ['is killed -9', 'kill9'],
] as const) {
  test(`Redis ${how} with jobs running and results on the way: each job ends once, as it did`, async () => {
    const { redis } = stage.faulty.cluster;
    const ending = await stage.run(await stage.held('ends'), 20);
    const lasting = await stage.run(await stage.held('lasts'), 5);
    await stage.waitForLines('start', 25);
    stage.release('ends');
    await stage.waitForLines('end', 1);
    await redis[end]();
    // The others end while there is no Redis.
    await stage.waitForLines('end', 20);
    await redis.restart();
    expect(await stage.codesOf(ending)).toEqual(ending.map(() => 0));
    for (const id of lasting) await stage.seen(id, ({ state }) => state === 'running');
    stage.release('lasts');
    expect(await stage.codesOf(lasting)).toEqual(lasting.map(() => 0));
    expect(startsOf()).toEqual([...ending, ...lasting].sort());
    expect((await stage.client.getActiveJobs()).jobs).toEqual({});
  }, 90_000);
}

test('Redis is killed -9 in the middle of writes: every write that was acknowledged is there, and every job', async () => {
  const { faulty, client } = stage;
  const event = await stage.quick();
  const created: string[] = [];
  const asked: string[] = [];
  const failed: unknown[] = [];
  const lane = async (name: string): Promise<void> => {
    for (let n = 0; !over.signal.aborted; n += 1) {
      const id = `${name}_${n}`;
      // A call without an answer may have been done or not: nothing is promised of it.
      await client.createEvent(eventOf(id)).then(
        () => created.push(id),
        (error: unknown) => failed.push(error),
      );
      await stage.run(event).then(
        (ids) => asked.push(...ids),
        (error: unknown) => failed.push(error),
      );
    }
  };
  const lanes = Promise.all(['one', 'two', 'three'].map(lane));
  for (let round = 1; round <= 3; round += 1) {
    await stage.waitForLines('end', 20 * round);
    await faulty.cluster.redis.kill9();
    await faulty.cluster.redis.restart();
  }
  await stage.waitForLines('end', 80);
  over.abort();
  await lanes;
  expect(await stage.codesOf(asked)).toEqual(asked.map(() => 0));
  const stored: string[] = [];
  for await (const { id } of client.schedule()) stored.push(id);
  expect(stored).toEqual(expect.arrayContaining(created));
  const starts = startsOf();
  expect(new Set(starts).size).toBe(starts.length);
  expect(created.length + asked.length).toBeGreaterThan(100);
}, 120_000);

test('Redis is away for 30 seconds, longer than a worker may be: nothing is lost, all nodes come back by themselves', async () => {
  const { faulty, client } = stage;
  const { redis } = faulty.cluster;
  const [goesOn = ''] = await stage.run(await stage.held('goes-on'));
  const ended = await stage.run(await stage.held('ended'), 5);
  const thirtySeconds = await stage.lasting(30_000);
  const [measure = ''] = await stage.run(thirtySeconds);
  await stage.waitForLines('start', 7);
  const restart = await redis.outage();
  stage.release('ended');
  // The job that takes half a minute tells when it is over.
  await stage.waitForLines('end', 6);
  const next = faulty.nextLeader(faulty.term);
  await restart();
  await next;
  expect(await stage.codesOf([measure, ...ended])).toEqual([0, 0, 0, 0, 0, 0]);
  await stage.seen(goesOn, ({ state }) => state === 'running');
  stage.release('goes-on');
  expect(await stage.codesOf([goesOn])).toEqual([0]);
  expect(startsOf()).toEqual([goesOn, measure, ...ended].sort());
  expect(faulty.nodes.every(({ process }) => process.isRunning)).toBe(true);
  const said = faulty.primaries.flatMap(({ process }) => process.lines.map(({ message }) => message));
  expect(said.filter((message) => message.startsWith('A worker is lost'))).toEqual([]);
  expect((await client.getActiveJobs()).jobs).toEqual({});
}, 120_000);
