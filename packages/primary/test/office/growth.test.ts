import { beforeAll, describe, expect, test } from '@jest/globals';
import { admin, newEvent, officeOf, OfficeWorld } from '../support/office-world.js';

// Ratios within one run, never times: what a thing costs among 50,000 events, over what it costs among 10. Growth with
// the number of events would show as a ratio of thousands; the bounds leave room for a busy machine.
const few = 10;
const many = 50_000;
const rounds = 5;
/** In the schedule, and looked at each minute. */
const neverDue = { timing: { years: [2098] } };

/** A primary with a worker and so many events. */
async function cluster(events: number) {
  const world = new OfficeWorld();
  const office = officeOf(await world.primary('p1'));
  const worker = await world.worker('w1', 'p1');
  for (let made = 0; made < events; ) {
    const batch = Array.from({ length: Math.min(1_000, events - made) }, () =>
      office.createEvent(newEvent(neverDue), admin),
    );
    made += (await Promise.all(batch)).length;
  }
  return { world, office, worker };
}
type Cluster = Awaited<ReturnType<typeof cluster>>;

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** How many times as much the work costs with many events, both measured alternately. */
async function growth(
  small: Cluster,
  large: Cluster,
  work: (of: Cluster) => Promise<unknown>,
): Promise<number> {
  const costs: { small: number[]; large: number[] } = { small: [], large: [] };
  await work(small);
  await work(large);
  for (let round = 0; round < rounds; round += 1) {
    costs.small.push(await timeOf(() => work(small)));
    costs.large.push(await timeOf(() => work(large)));
  }
  return median(costs.large) / median(costs.small);
}

describe('with the number of events', () => {
  let small: Cluster;
  let large: Cluster;
  beforeAll(async () => {
    small = await cluster(few);
    large = await cluster(many);
  }, 120_000);

  test('creating, changing and deleting an event does not grow', async () => {
    const ratio = await growth(small, large, async ({ office }) => {
      for (let n = 0; n < 100; n += 1) {
        const id = await office.createEvent(newEvent(neverDue), admin);
        await office.updateEvent(id, { title: 'Changed' }, { abortJobs: false }, admin);
        await office.deleteEvent(id, admin);
      }
    });
    expect(ratio).toBeLessThan(5);
  });

  test('reading pages and events does not grow', async () => {
    const ratio = await growth(small, large, async ({ office }) => {
      for (let n = 0; n < 2_000; n += 1) {
        const [first] = office.state.events.page(0, few);
        office.state.events.entry(first?.record.id ?? '');
      }
    });
    expect(ratio).toBeLessThan(10);
  });

  test('a minute with 50 launches does not grow', async () => {
    for (const { office } of [small, large]) {
      const due = Array.from({ length: 50 }, () => office.createEvent(newEvent({ max_children: 0 }), admin));
      await Promise.all(due);
    }
    const launched: number[] = [];
    const ratio = await growth(small, large, async ({ world, office, worker }) => {
      const before = office.state.jobs.size;
      await world.passMinute(worker);
      launched.push(office.state.jobs.size - before);
    });
    expect(new Set(launched)).toEqual(new Set([50]));
    expect(ratio).toBeLessThan(50);
  });
});
