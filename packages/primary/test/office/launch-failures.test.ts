import { describe, expect, test } from '@jest/globals';
import { admin, newEvent, officeOf, OfficeWorld } from '../support/office-world.js';

const failed = 'Failed to launch scheduled event: Minutely: Server or Server Group not found: nowhere';

/** The minute passes without a primary, and the next one takes office so long after it. */
async function lateBy(ms: number, fields: Record<string, unknown>, minutes = 1) {
  const world = new OfficeWorld();
  const first = await world.primary('p1');
  // The next primary expects this worker back.
  await world.worker('w1', 'p1');
  await officeOf(first).createEvent(newEvent(fields), admin);
  await world.clock.advanceSettling(20_000);
  await first.stop();
  await world.clock.advanceSettling(60_000 * minutes - (world.clock.nowMs() % 60_000) + ms);
  return { world, second: await world.primary('p2') };
}

describe('a refused launch of the schedule (behaviour reference 4.6)', () => {
  test.each([
    [29_000, [failed]],
    [45_000, []],
  ])('is told when its minute is %i ms old: %j', async (ageMs, warnings) => {
    const { world, second } = await lateBy(ageMs, { target: 'nowhere' });
    expect(officeOf(second).state.tickMinute).toBe(Math.floor(world.clock.nowMs() / 60_000) * 60);
    expect(world.warnings()).toEqual(warnings);
    expect(officeOf(second).state.stats.totals.jobs_failed).toBe(warnings.length);
    await world.passMinute(await world.worker('w1', 'p2'));
    expect(world.warnings()).toEqual([failed, ...warnings]);
  });

  test('of an event that has launched in the same tick is not told', async () => {
    const { world, second } = await lateBy(5_000, { max_children: 1, target: 'w1' }, 2);
    const jobs = [...officeOf(second).activeJobs()];
    expect(jobs.map((job) => job.now)).toEqual([Math.floor(world.clock.nowMs() / 60_000) * 60 - 60]);
    expect(world.warnings()).toEqual([]);
    const worker = await world.worker('w1', 'p2');
    await world.passMinute(worker);
    expect(world.warnings()).toEqual([
      'Failed to launch scheduled event: Minutely: Maximum of 1 job already running for event: Minutely',
    ]);
  });

  test('of a catch-up event is tried again each minute, and told while it is current', async () => {
    const { world, second } = await lateBy(5_000, { target: 'nowhere', catch_up: 1 });
    expect(world.warnings()).toEqual([failed]);
    await world.toNextMinute();
    await world.toNextMinute();
    expect(world.warnings()).toEqual([failed]);
    const worker = await world.worker('nowhere', 'p2');
    await worker.work();
    await world.passMinute(worker);
    expect(worker.held.size).toBe(4);
    await second.stop();
  });
});

describe('a minute without any worker', () => {
  test('is launched when the first one joins, also by a new primary whose node has just begun', async () => {
    const world = new OfficeWorld();
    const first = await world.primary('p1');
    await officeOf(first).createEvent(newEvent(), admin);
    await first.stop();
    await world.toNextMinute();
    await world.clock.advanceSettling(50_000);
    const second = await world.primary('p2');
    await world.clock.advanceSettling(24_000);
    expect(officeOf(second).state.jobs.size).toBe(0);
    await world.worker('w1', 'p2');
    await world.settle();
    expect([...officeOf(second).activeJobs()].length).toBeGreaterThan(0);
    expect(world.warnings()).toEqual([]);
  });

  test('waits for 25 seconds, and fails then', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    await office.createEvent(newEvent(), admin);
    await world.toNextMinute();
    await world.clock.advanceSettling(24_900);
    expect(world.warnings()).toEqual([]);
    await world.clock.advanceSettling(200);
    expect(world.warnings()).toEqual([
      expect.stringMatching(/^Failed to launch scheduled event: Minutely: /),
    ]);
  });
});
