import { CommitWatch, type FaultyClusterOptions, hasJoined } from '@carillon/testkit';
import { afterEach, expect, test } from '@jest/globals';
import { testOfCutsFromRedis } from './on-shapes.js';
import { event } from './calls-under-way.js';
import { expectSilentJobsToEndAsTheyDo } from './silent-jobs.js';
import { Stage } from './stage.js';

/*
 * Leaders that are killed, paused and cut off, on real processes.
 */

const { timeout } = AbortSignal;
const testOfCuts = testOfCutsFromRedis();

let stage: Stage;
let watch: CommitWatch;

const set = async (more: Partial<FaultyClusterOptions> = {}): Promise<void> => {
  stage = await Stage.set({ primaries: 2, workers: 2, ...more });
  watch = await CommitWatch.start(stage.faulty.cluster.redis);
};

afterEach(async () => {
  watch?.close();
  await stage?.clear();
}, 60_000);

/** Everything that both nodes answer without a redirect or a refusal. */
const answersOf = async (url: string): Promise<number> =>
  (
    await fetch(`${url}/api/app/get_schedule/v1`, {
      redirect: 'manual',
      headers: { 'X-API-Key': stage.faulty.cluster.apiKey },
      signal: timeout(10_000),
    })
  ).status;

test('flapping leadership: six leaders in a row, and every job that was answered ran once', async () => {
  await set({ direct: true });
  const { faulty } = stage;
  const event = await stage.quick();
  const ids: string[] = [];
  const terms = [faulty.term];
  for (let round = 0; round < 6; round += 1) {
    const { leader, term } = faulty;
    ids.push(...(await stage.run(event, 5)));
    const next = faulty.nextLeader(term);
    await (round % 2 === 0 ? leader.process.kill9() : leader.process.stop());
    // Kept connections to the killed node would leave a client in doubt.
    ids.push(...(await stage.run(event, 5, faulty.client())));
    await next;
    terms.push(faulty.term);
    leader.process.start();
    await leader.process.waitForNextLine(({ message }) => message === 'The node runs');
  }
  expect(terms).toEqual([...terms].sort((one, other) => one - other));
  expect(new Set(terms).size).toBe(7);
  expect(await stage.codesOf(ids)).toEqual(ids.map(() => 0));
  expect(
    stage.lines
      .filter(({ at }) => at === 'start')
      .map(({ job }) => job)
      .sort(),
  ).toEqual([...ids].sort());
  expect(watch.late).toEqual([]);
}, 120_000);

testOfCuts(
  'a leader paused in the middle of a write: its delayed commit is refused, and it follows',
  async () => {
    await set({ cutsFromRedis: true });
    const { faulty } = stage;
    const { leader, standby, term } = faulty;
    const writer = faulty.cluster.clientWith({ ...faulty.clientOptions(leader), retry: { deadlineMs: 0 } });
    const create = (id: string) => writer.createEvent(event(id));
    await create('before');
    // The commit leaves the leader, and is held up on its way.
    leader.toRedis.freeze();
    const delayed = create('delayed').then(
      () => 'acknowledged',
      (error: unknown) => String(error),
    );
    await expect(
      fetch(`${leader.process.url}/api/app/get_event/v1?id=delayed`, {
        headers: { 'X-API-Key': faulty.cluster.apiKey },
      }).then((response) => response.json()),
    ).resolves.toMatchObject({ code: 0 });
    leader.process.pause();
    expect(await faulty.nextLeader(term)).toBe(standby);
    const ended = leader.process.waitForNextLine(({ message }) => message.includes('no longer the primary'));
    leader.toRedis.mend();
    leader.process.resume();
    await ended;
    expect(await delayed).not.toBe('acknowledged');
    expect(await answersOf(standby.process.url)).toBe(200);
    const { rows } = await stage.client.getSchedule();
    expect(rows.map(({ id }) => id)).toEqual(['before']);
    expect(await stage.codesOf(await stage.run(await stage.quick()))).toEqual([0]);
    expect(watch.late).toEqual([]);
  },
  60_000,
);

testOfCuts(
  'a leader cut off from Redis alone: it stops serving, and the other goes on with its jobs',
  async () => {
    await set({ cutsFromRedis: true });
    const { faulty } = stage;
    const { leader, standby, term } = faulty;
    const [job = ''] = await stage.run(await stage.held('partition'));
    await stage.waitForLines('start', 1);
    const next = faulty.nextLeader(term);
    leader.toRedis.cut();
    expect(await next).toBe(standby);
    expect(await answersOf(leader.process.url)).not.toBe(200);
    for (const { process } of faulty.workers) await standby.process.waitForLine(hasJoined(process.name));
    expect((await stage.client.getJobStatus({ id: job })).job.state).toBe('running');
    stage.release('partition');
    expect(await stage.codesOf([job])).toEqual([0]);
    const back = leader.process.waitForNextLine(({ message }) => message === 'Another node is the primary');
    faulty.mend();
    await back;
    expect(faulty.leader).toBe(standby);
    expect(watch.late).toEqual([]);
  },
  60_000,
);

test('workers cut off from the primary alone: their jobs go silent, and end as they do', async () => {
  await set({ peerSettings: { dead_job_timeout: 60 } });
  await expectSilentJobsToEndAsTheyDo(stage);
}, 60_000);

test('both primaries are down over the boundary of a minute: it is made up, once', async () => {
  await set();
  const { faulty } = stage;
  const event = await stage.quick({ timing: {} });
  await Promise.all(faulty.primaries.map(({ process }) => process.kill9()));
  const minuteMs = 60_000;
  const boundaryMs = (Math.floor(Date.now() / minuteMs) + 1) * minuteMs;
  await new Promise((resolve) => setTimeout(resolve, boundaryMs - Date.now() + 1));
  for (const { process } of faulty.primaries) process.start();
  await stage.waitForLines('end', 1);
  await watch.waitForTick(boundaryMs / 1000);
  const starts = stage.lines.filter(({ at }) => at === 'start');
  expect(starts.map(({ minute }) => minute)).toEqual([boundaryMs / 1000]);
  expect(await stage.codesOf(starts.map(({ job }) => job))).toEqual([0]);
  expect((await stage.client.getEventHistory({ id: event })).rows).toHaveLength(1);
}, 120_000);

test('stepping down by call: the other node leads at once, jobs go on, and the first one follows', async () => {
  await set({ direct: true });
  const { faulty } = stage;
  const { leader, standby, term } = faulty;
  const [job = ''] = await stage.run(await stage.held('go'));
  await stage.waitForLines('start', 1);
  const asked = performance.now();
  expect((await stage.client.stepDown({ quiet: 30 })).term).toBe(term);
  // The client finds the new primary by itself.
  expect((await stage.client.getMasterState()).state.enabled).toBe(1);
  expect(performance.now() - asked).toBeLessThan(5_000);
  expect(faulty.leader).toBe(standby);
  expect(await answersOf(leader.process.url)).toBe(302);
  stage.release('go');
  expect(await stage.codesOf([job])).toEqual([0]);
  const { rows } = await stage.client.getActivity();
  expect(rows).toContainEqual(expect.objectContaining({ action: 'step_down', term }));
  expect(watch.late).toEqual([]);
}, 60_000);
