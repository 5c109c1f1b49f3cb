import type { CarillonClient } from '@carillon/client';
import { CommitWatch, describeInNamespaces, hasJoined, type NodeProcess } from '@carillon/testkit';
import { afterEach, expect, test } from '@jest/globals';
import { event, settled } from './calls-under-way.js';
import { expectSilentJobsToEndAsTheyDo } from './silent-jobs.js';
import { Stage } from './stage.js';

/*
 * Packets that vanish between real processes, each in a network namespace of its own: connections stay half open, and nobody
 * is told. Leases live for 1 s, and a worker is lost after 5 s of silence.
 */

let stage: Stage;
let watch: CommitWatch;

/** For workers that are to come back before they are lost, on a machine with much to do. */
const patient = { dead_job_timeout: 60 };

const set = async (
  primaries: number,
  environment: Record<string, string> = {},
  peerSettings: Record<string, number> = {},
): Promise<void> => {
  stage = await Stage.set({ primaries, workers: 2, namespaces: true, environment, peerSettings });
  watch = await CommitWatch.start(stage.faulty.cluster.redis);
};

afterEach(async () => {
  watch?.close();
  await stage?.clear();
}, 60_000);

const stored = async (client: CarillonClient): Promise<string[]> =>
  (await client.getSchedule()).rows.map(({ id }) => id);

const follows = (process: NodeProcess) =>
  process.waitForNextLine(({ message }) => message.includes('no longer the primary'));

describeInNamespaces('packets vanish', () => {
  test('the cable of the leader is pulled in the middle of a write: the other takes over in seconds, and the old one cannot write', async () => {
    await set(2);
    const { faulty } = stage;
    const { leader, standby, term } = faulty;
    const [job = ''] = await stage.run(await stage.held('go'));
    await stage.waitForLines('start', 1);
    const writer = faulty.cluster.clientWith({ ...faulty.clientOptions(leader), retry: { deadlineMs: 0 } });
    await writer.createEvent(event('before'));
    // The commit leaves the leader again and again, and does not arrive.
    leader.toRedis.freeze();
    const doubtful = settled(writer.createEvent(event('delayed')));
    await expect(writer.getEvent({ id: 'delayed' })).resolves.toMatchObject({ code: 0 });
    const next = settled(faulty.nextLeader(term));
    faulty.namespaces.pull(leader);
    const over = follows(leader.process);
    const { afterMs } = await next;
    expect(afterMs).toBeLessThan(10_000);
    expect(faulty.leader).toBe(standby);
    const client = faulty.client(standby);
    for (const { process } of faulty.workers) await standby.process.waitForLine(hasJoined(process.name));
    expect((await client.getJobStatus({ id: job })).job.state).toBe('running');
    expect((await doubtful).outcome).toMatch(/UnreachableError|ApiError/);
    await over;
    const back = leader.process.waitForNextLine(({ message }) => message === 'Another node is the primary');
    faulty.mend();
    await back;
    const answer = await fetch(`${leader.process.url}/api/app/get_schedule/v1`, {
      redirect: 'manual',
      headers: { 'X-API-Key': faulty.cluster.apiKey },
      signal: AbortSignal.timeout(10_000),
    });
    expect(answer.status).toBe(302);
    expect(faulty.leader).toBe(standby);
    stage.release('go');
    await client.waitForJob(job);
    expect(await stage.codesOf([job])).toEqual([0]);
    expect(await stored(client)).not.toContain('delayed');
    expect(watch.late).toEqual([]);
  }, 90_000);

  test.each([
    ['both directions', true],
    ['the answers of Redis alone', false],
  ])(
    'between leader and Redis %s vanish: it stops serving, the other goes on with its jobs',
    async (_what, both) => {
      await set(2);
      const { faulty } = stage;
      const { leader, standby, term } = faulty;
      const [job = ''] = await stage.run(await stage.held('go'));
      await stage.waitForLines('start', 1);
      const next = settled(faulty.nextLeader(term));
      if (both) faulty.namespaces.lose(leader, 'Redis');
      faulty.namespaces.lose('Redis', leader);
      const over = await settled(follows(leader.process));
      expect(over.afterMs).toBeLessThan(5_000);
      expect((await next).afterMs).toBeLessThan(15_000);
      expect(faulty.leader).toBe(standby);
      for (const { process } of faulty.workers) await standby.process.waitForLine(hasJoined(process.name));
      const client = faulty.client(standby);
      await client.createEvent(event('meanwhile'));
      expect((await client.getJobStatus({ id: job })).job.state).toBe('running');
      const back = leader.process.waitForNextLine(({ message }) => message === 'Another node is the primary');
      faulty.mend();
      await back;
      stage.release('go');
      await client.waitForJob(job);
      expect(await stored(client)).toContain('meanwhile');
      expect(faulty.leader).toBe(standby);
      expect(watch.late).toEqual([]);
    },
    90_000,
  );

  test('between leader and workers packets vanish: jobs go silent, and end as they do', async () => {
    await set(1, {}, patient);
    await expectSilentJobsToEndAsTheyDo(stage);
  }, 90_000);

  test('the cable of a worker is pulled for less than it takes to be lost: its job goes on', async () => {
    await set(1, {}, patient);
    const { faulty, client } = stage;
    const [worker] = faulty.workers;
    const [job = ''] = await stage.run(await stage.held('go', { target: 'w1' }));
    await stage.waitForLines('start', 1);
    const { pid } = await stage.seen(job, (seen) => seen.pid !== undefined);
    const { process } = faulty.leader;
    const left = process.waitForNextLine(({ message }) => message === 'A worker disconnected');
    faulty.namespaces.pull(worker!);
    await left;
    const back = process.waitForNextLine(hasJoined('w1'));
    faulty.mend();
    await back;
    expect((await client.getJobStatus({ id: job })).job).toMatchObject({ state: 'running', pid });
    const sinceMs = performance.now();
    stage.release('go');
    expect(await stage.codesOf([job])).toEqual([0]);
    expect(await stage.codesOf(await stage.run(await stage.quick({ target: 'w1' })))).toEqual([0]);
    expect(performance.now() - sinceMs).toBeLessThan(10_000);
    expect(stage.lines.filter(({ at }) => at === 'start')).toHaveLength(2);
  }, 90_000);

  test('the cable of a worker is pulled for longer: its job is lost, its process is ended when it is back, and it works again', async () => {
    await set(1);
    const { faulty, client } = stage;
    const [worker] = faulty.workers;
    const [job = ''] = await stage.run(await stage.held('never', { target: 'w1' }));
    await stage.waitForLines('start', 1);
    const { pid = 0 } = await stage.seen(job, (seen) => seen.pid !== undefined);
    faulty.namespaces.pull(worker!);
    expect(await stage.codesOf([job])).toEqual([1]);
    expect((await client.getJobStatus({ id: job })).job.description).toMatch(
      /^Aborted Job: Server 'w1' shut down unexpectedly/,
    );
    expect(isAlive(pid)).toBe(true);
    const back = faulty.leader.process.waitForNextLine(hasJoined('w1'));
    faulty.mend();
    await back;
    const sinceMs = performance.now();
    while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
    expect(await stage.codesOf(await stage.run(await stage.quick({ target: 'w1' })))).toEqual([0]);
    expect(performance.now() - sinceMs).toBeLessThan(15_000);
    expect(await stage.codesOf([job])).toEqual([1]);
  }, 90_000);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
