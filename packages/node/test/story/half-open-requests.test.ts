import type { CarillonClient } from '@carillon/client';
import { describeInNamespaces } from '@carillon/testkit';
import { afterEach, expect, test } from '@jest/globals';
import { event, settled } from './calls-under-way.js';
import { Stage } from './stage.js';

/*
 * What is under way when packets begin to vanish, between real processes in network namespaces: requests of clients, and the
 * work of a whole cluster whose Redis is out of reach. Nothing waits for ever.
 */

let stage: Stage;
let over: AbortController;

const set = async (environment: Record<string, string> = {}): Promise<void> => {
  over = new AbortController();
  stage = await Stage.set({ primaries: 2, workers: 2, namespaces: true, environment });
};

afterEach(async () => {
  over?.abort();
  await stage?.clear();
}, 60_000);

const stored = async (client: CarillonClient): Promise<string[]> => {
  const ids: string[] = [];
  for await (const { id } of client.schedule()) ids.push(id);
  return ids;
};

/** Each job has started once. */
const startsOf = (): string[] => stage.lines.flatMap(({ at, job }) => (at === 'start' ? [job] : [])).sort();

describeInNamespaces('while packets vanish', () => {
  test('requests under way to a leader whose cable is pulled end in their time, and a watch of a job goes on to its end', async () => {
    await set();
    const { faulty, client } = stage;
    const { leader, term } = faulty;
    const [job = ''] = await stage.run(await stage.held('go'));
    await stage.waitForLines('start', 1);
    let seen = (): void => undefined;
    const begun = new Promise<void>((resolve) => {
      seen = () => resolve();
    });
    const watched = client.watchJob(job, { onJob: () => seen() });
    await begun;
    // The commits of these do not get through, and their answers will not either.
    leader.toRedis.freeze();
    const writes = [
      settled(client.createEvent(event('doubtful'))),
      settled(client.runEvent({ id: 'nothing' })),
    ];
    const next = faulty.nextLeader(term);
    faulty.namespaces.pull(leader);
    const reads = [settled(client.getSchedule()), settled(client.getJobStatus({ id: job }))];
    await next;
    stage.release('go');
    for (const { outcome, afterMs } of await Promise.all(reads)) {
      expect(outcome).toBe('answered');
      expect(afterMs).toBeLessThan(15_000);
    }
    for (const { outcome, afterMs } of await Promise.all(writes)) {
      expect(outcome).toMatch(/UnreachableError|ApiError/);
      expect(afterMs).toBeLessThan(10_000);
    }
    // Two periods of the watch without a sign of life, and a reconnection.
    const end = await settled(watched);
    expect(end.outcome).toBe('answered');
    expect(end.afterMs).toBeLessThan(45_000);
    expect(await stage.codesOf([job])).toEqual([0]);
    expect(await stored(faulty.client())).not.toContain('doubtful');
  }, 120_000);

  test('requests that a node forwards to a leader whose cable is pulled end soon after the failover', async () => {
    await set({ CARILLON_NON_PRIMARY: 'forward' });
    const { faulty } = stage;
    const { leader, standby, term } = faulty;
    const held = await stage.held('go');
    const client = faulty.cluster.clientWith({ ...faulty.clientOptions(standby), timeoutMs: 30_000 });
    // Kept connections, on which requests leave at once; what needs a new one is known not to have been sent.
    await Promise.all(['one', 'other'].map((id) => client.createEvent(event(id))));
    const next = faulty.nextLeader(term);
    faulty.namespaces.pull(leader);
    const calls = [client.getSchedule(), client.runEvent({ id: held })].map(settled);
    await next;
    const [read, write] = await Promise.all(calls);
    expect(read?.outcome).toBe('answered');
    expect(write?.outcome).toMatch(/did not answer/);
    expect(Math.max(read?.afterMs ?? 0, write?.afterMs ?? 0)).toBeLessThan(15_000);
    const follows = leader.process.waitForNextLine(
      ({ message }) => message === 'Another node is the primary',
    );
    faulty.mend();
    await follows;
    stage.release('go');
    // The request that was given up is not carried out a second time, nor late.
    expect((await client.getActiveJobs()).jobs).toEqual({});
    expect(stage.lines).toEqual([]);
  }, 90_000);

  test('the cable of Redis is pulled for ten seconds: nothing acknowledged is lost, and no job', async () => {
    await set();
    const { faulty, client } = stage;
    const quick = await stage.quick();
    const ended = await stage.run(await stage.held('ended'), 5);
    const [goesOn = ''] = await stage.run(await stage.held('goes-on'));
    const [measure = ''] = await stage.run(await stage.lasting(10_000));
    await stage.waitForLines('start', 7);
    const created: string[] = [];
    const asked: string[] = [];
    const slow: number[] = [];
    const lane = async (name: string): Promise<void> => {
      for (let n = 0; !over.signal.aborted; n += 1) {
        const id = `${name}_${n}`;
        // A call without an answer may have been done or not: nothing is promised of it.
        const one = await settled(client.createEvent(event(id)).then(() => created.push(id)));
        const other = await settled(stage.run(quick).then((ids) => asked.push(...ids)));
        slow.push(one.afterMs, other.afterMs);
      }
    };
    const lanes = Promise.all(['one', 'two', 'three'].map(lane));
    await stage.waitForLines('end', 20);
    faulty.namespaces.pull('Redis');
    stage.release('ended');
    // The job that takes ten seconds tells when they are over.
    while (!stage.lines.some(({ at, job }) => at === 'end' && job === measure)) {
      await stage.waitForLines('end', stage.lines.filter(({ at }) => at === 'end').length + 1);
    }
    const acknowledged = created.length;
    faulty.mend();
    await stage.waitForLines('end', stage.lines.filter(({ at }) => at === 'end').length + 20);
    over.abort();
    await lanes;
    expect(created.length).toBeGreaterThan(acknowledged);
    // 15 s of repetitions, and the last attempt.
    expect(Math.max(...slow)).toBeLessThan(25_000);
    expect(await stage.codesOf([measure, ...ended, ...asked])).toEqual(
      [measure, ...ended, ...asked].map(() => 0),
    );
    await stage.seen(goesOn, ({ state }) => state === 'running');
    stage.release('goes-on');
    expect(await stage.codesOf([goesOn])).toEqual([0]);
    expect(await stored(client)).toEqual(expect.arrayContaining(created));
    const starts = startsOf();
    expect(new Set(starts).size).toBe(starts.length);
    expect(starts).toEqual(expect.arrayContaining([...asked, goesOn, measure, ...ended]));
    expect(faulty.nodes.every(({ process }) => process.isRunning)).toBe(true);
  }, 150_000);
});
