import { type PrivateRedis, startPrivateCluster, startPrivateSentinel } from '@carillon/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Stage } from './stage.js';

/*
 * The core of what a cluster does, on a master watched by sentinels and on a Redis Cluster: launches by hand and by the
 * minute, a leader that is killed, and a Redis that goes away while jobs run and results are on their way. The other
 * stories run there with `npm run stories`.
 */

interface Shape {
  start(): Promise<PrivateRedis>;
  /** The server with the keys is killed; resolves when another, or the same, has taken its place. */
  trouble(redis: PrivateRedis): Promise<void>;
}

const shapes: [string, Shape][] = [
  [
    'sentinels',
    {
      start: () => startPrivateSentinel(),
      trouble: (redis) => redis.kill9(),
    },
  ],
  [
    'a cluster',
    {
      start: () => startPrivateCluster(),
      trouble: async (redis) => {
        await redis.kill9();
        await redis.restart();
      },
    },
  ],
];

let stage: Stage | undefined;

const set = async ({ start }: Shape): Promise<Stage> => {
  const opened = await Stage.set({ primaries: 2, workers: 2, redis: await start() });
  stage = opened;
  return opened;
};

afterEach(async () => {
  await stage?.clear();
  stage = undefined;
}, 60_000);

const startsOf = ({ lines }: Stage): string[] =>
  lines
    .filter(({ at }) => at === 'start')
    .map(({ job }) => job)
    .toSorted();

describe.each(shapes)('on %s', (_, shape) => {
  test('jobs run by hand and by the minute, and go on when the leader is killed', async () => {
    const here = await set(shape);
    const { faulty } = here;
    const ids = await here.run(await here.quick(), 10);
    const [held = ''] = await here.run(await here.held('leader'));
    await here.waitForLines('start', 11);
    const next = faulty.nextLeader(faulty.term);
    await faulty.leader.process.kill9();
    await next;
    const client = faulty.client();
    expect((await client.getJobStatus({ id: held })).job.state).toBe('running');
    here.release('leader');
    ids.push(held, ...(await here.run(await here.quick(), 5, client)));
    expect(await here.codesOf(ids)).toEqual(ids.map(() => 0));
    expect(startsOf(here)).toEqual(ids.toSorted());
    await here.quick({ timing: {} });
    await here.waitForLines('end', ids.length + 1);
    const fired = here.lines.filter(({ at, job }) => at === 'start' && !ids.includes(job));
    expect(fired.map(({ minute }) => minute % 60)).toEqual([0]);
    expect(await here.codesOf(fired.map(({ job }) => job))).toEqual([0]);
  }, 150_000);

  test('the server with the keys is killed: no acknowledged write, no job and no result is lost', async () => {
    const here = await set(shape);
    const { faulty } = here;
    const event = await here.held('trouble');
    const ids = await here.run(event, 12);
    await here.waitForLines('start', 12);
    let over = false;
    const created: string[] = [];
    const creating = (async () => {
      while (!over) {
        const answer = await here.quick().catch(() => undefined);
        if (answer !== undefined) created.push(answer);
      }
    })();
    // Results are handed in while the server goes.
    here.release('trouble');
    await shape.trouble(faulty.cluster.redis);
    expect(await here.codesOf(ids)).toEqual(ids.map(() => 0));
    const more = await here.run(await here.quick(), 5);
    expect(await here.codesOf(more)).toEqual(more.map(() => 0));
    over = true;
    await creating;
    const known = new Set<string>();
    for await (const { id } of here.client.schedule()) known.add(id);
    expect(created.length).toBeGreaterThan(0);
    expect(created.filter((id) => !known.has(id))).toEqual([]);
    expect(startsOf(here)).toEqual([...ids, ...more].toSorted());
  }, 150_000);
});
