import { describe, expect, test } from '@jest/globals';
import { admin, newEvent, officeOf, OfficeWorld, onDemand, startMs } from '../support/office-world.js';

const minute = (offset: number) => Math.floor(startMs / 60_000) * 60 + 60 * offset;

async function start() {
  const world = new OfficeWorld();
  const primary = await world.primary('p1');
  const office = officeOf(primary);
  const worker = await world.worker('w1', 'p1');
  await worker.work();
  const create = (fields: Record<string, unknown> = {}) => office.createEvent(newEvent(fields), admin);
  /** Minutes launched so far, by title, in order of their launch. */
  const launched = (title: string) =>
    [...worker.held.values()].filter(({ job }) => job.event_title === title).map(({ job }) => job.now);
  return { world, primary, office, worker, create, launched };
}

describe('the scheduler switch (behaviour reference 4.5)', () => {
  test('off: the gap is lost to normal events and made up by catch-up events at the next tick', async () => {
    const { world, office, worker, create, launched } = await start();
    await create({ title: 'normal' });
    await create({ title: 'all', catch_up: 1 });
    await world.passMinute(worker);
    await office.setEnabled(0, admin);
    await world.passMinute(worker);
    await world.passMinute(worker);
    await office.setEnabled(1, admin);
    await world.settle();
    expect([launched('normal'), launched('all')]).toEqual([[minute(1)], [minute(1)]]);
    await world.passMinute(worker);
    expect(launched('normal')).toEqual([minute(1), minute(4)]);
    expect(launched('all')).toEqual([1, 2, 3, 4].map(minute));
    expect(world.warnings()).toEqual([]);
  });

  test('off: jobs by hand, chains and queues go on', async () => {
    const { world, office, worker, create } = await start();
    const next = await create({ ...onDemand, title: 'next' });
    const event = await create({ ...onDemand, max_children: 1, queue: 1, chain: next });
    await office.setEnabled(0, admin);
    const run = async () => (await office.launch({ event, overrides: {}, now: 5 })).ids[0] ?? '';
    const [first, second] = [await run(), await run()];
    await world.settle();
    expect(office.activeJob(second)?.state).toBe('queued');
    await worker.settle(first);
    await world.settle();
    expect(worker.held.get(second)?.job.event).toBe(event);
    expect([...worker.held.values()].map(({ job }) => job.event_title)).toContain('next');
  });

  test('is known to the next primary', async () => {
    const { world, primary, office } = await start();
    await office.setEnabled(0, admin);
    const second = await world.primary('p2');
    await primary.stop();
    await world.clock.advanceSettling(500);
    expect(officeOf(second).state.enabled).toBe(0);
  });
});

describe('the time machine (behaviour reference 4.8)', () => {
  const back = async (changes: Record<string, unknown>) => {
    const all = await start();
    const event = await all.create({ title: 'all', catch_up: 1, ...onDemand });
    await all.world.passMinute(all.worker);
    await all.world.passMinute(all.worker);
    await all.office.updateEvent(event, { timing: {} }, { abortJobs: false }, admin);
    const options = { abortJobs: false, resetCursor: minute(-1) + 17 };
    await all.office.updateEvent(event, changes, options, admin);
    await all.world.settle();
    return { ...all, event };
  };

  test('with enabled it goes back at once; the minute itself is the first', async () => {
    const { launched, world, worker } = await back({ enabled: 1 });
    expect(launched('all')).toEqual([-1, 0, 1, 2].map(minute));
    await world.passMinute(worker);
    expect(launched('all')).toEqual([-1, 0, 1, 2, 3].map(minute));
  });

  test('without it at the next tick', async () => {
    const { launched, world, worker } = await back({ notes: 'x' });
    expect(launched('all')).toEqual([]);
    await world.passMinute(worker);
    expect(launched('all')).toEqual([-1, 0, 1, 2, 3].map(minute));
  });

  test('an event that does not catch up has no clock of its own', async () => {
    const { world, office, worker, create, launched } = await start();
    const event = await create({ title: 'normal' });
    const options = { abortJobs: false, resetCursor: minute(-5) };
    await office.updateEvent(event, { enabled: 1 }, options, admin);
    await world.passMinute(worker);
    expect(launched('normal')).toEqual([minute(1)]);
  });
});

test('a catch-up event that is switched on again makes up what it missed at once (behaviour reference 4.7)', async () => {
  const { world, office, worker, create, launched } = await start();
  const event = await create({ title: 'all', catch_up: 1 });
  await world.passMinute(worker);
  const change = (enabled: number) => office.updateEvent(event, { enabled }, { abortJobs: false }, admin);
  await change(0);
  await world.passMinute(worker);
  await world.passMinute(worker);
  expect(launched('all')).toEqual([minute(1)]);
  await change(1);
  await world.settle();
  expect(launched('all')).toEqual([1, 2, 3].map(minute));
});
