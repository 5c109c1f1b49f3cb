import { CommitWatch, hasJoined } from '@carillon/testkit';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Stage } from './stage.js';

/*
 * Nodes whose clocks are wrong, on real processes.
 */

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

let stage: Stage;
let watch: CommitWatch;

beforeEach(async () => {
  stage = await Stage.set({
    primaries: 2,
    workers: 2,
    clocksAheadMs: { p2: hourMs, w1: -hourMs, w2: hourMs },
  });
  watch = await CommitWatch.start(stage.faulty.cluster.redis);
}, 60_000);

afterEach(async () => {
  watch?.close();
  await stage?.clear();
}, 60_000);

test('a node started with a clock an hour ahead becomes the primary: every minute is launched once, in its time', async () => {
  const { faulty, client } = stage;
  const [first, second] = faulty.primaries;
  if (first === undefined || second === undefined) throw new Error('no primaries');
  expect(second.process.lines.map(({ message }) => message)).toContainEqual(
    expect.stringContaining('differs from that of Redis'),
  );
  const event = await stage.quick({ timing: {} });
  const startedMs = Date.now();
  const next = faulty.nextLeader(faulty.term);
  await first.process.kill9();
  expect(await next).toBe(second);
  const boundaryMs = (Math.floor(startedMs / minuteMs) + 1) * minuteMs;
  expect(await watch.waitForTick(boundaryMs / 1000)).toBe(boundaryMs / 1000);
  expect(Date.now()).toBeGreaterThanOrEqual(boundaryMs);
  await stage.waitForLines('end', 1);
  // The other one, whose clock is right, has nothing to make up and nothing to wait for.
  first.process.start();
  await first.process.waitForNextLine(({ message }) => message === 'The node runs');
  const back = faulty.nextLeader(faulty.term);
  // In whichever order they come.
  const joined = faulty.workers.map(({ process }) => first.process.waitForNextLine(hasJoined(process.name)));
  await second.process.stop();
  await Promise.all([back, ...joined]);
  expect(await watch.waitForTick(boundaryMs / 1000)).toBe(Math.floor(Date.now() / minuteMs) * 60);
  const { rows } = await client.getEventHistory({ id: event });
  const minutes = stage.lines.filter(({ at }) => at === 'start').map(({ minute }) => minute);
  expect(new Set(minutes).size).toBe(minutes.length);
  expect(minutes[0]).toBe(boundaryMs / 1000);
  expect(rows.length).toBe(minutes.length);
  expect((await watch.activity()).filter(({ action }) => action === 'warning')).toEqual([]);
}, 180_000);

test('jobs of workers whose clocks are wrong run, are seen and end as others do', async () => {
  const { client } = stage;
  for (const target of ['w1', 'w2']) {
    const [job = ''] = await stage.run(await stage.held(target, { target }));
    const running = await stage.seen(job, ({ state, pid }) => state === 'running' && pid !== undefined);
    expect(running['elapsed']).toBeGreaterThanOrEqual(0);
    stage.release(target);
    expect(await stage.codesOf([job])).toEqual([0]);
    const ended = (await client.getJobStatus({ id: job })).job;
    expect(ended['elapsed']).toBeGreaterThanOrEqual(0);
    expect(ended['elapsed']).toBeLessThan(60);
  }
}, 60_000);
