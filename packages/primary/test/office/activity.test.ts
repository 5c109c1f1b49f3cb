import { describe, expect, test } from '@jest/globals';
import {
  admin,
  newEvent,
  officeOf,
  OfficeWorld,
  onDemand,
  runningJob,
  startMs,
} from '../support/office-world.js';

/** Entries of one kind, newest first. */
const entriesOf = (world: OfficeWorld, ...actions: string[]) =>
  world.storeBoard.activity().filter((entry) => actions.includes(entry.action));

describe('jobs started by hand (behaviour reference 2.1)', () => {
  const run = async (manualJobsTracked: boolean) => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1', { manualJobsTracked }));
    const worker = await world.worker('w1', 'p1');
    await worker.work();
    const fields = { ...onDemand, max_children: 1, queue: 1 as const };
    const event = await office.createEvent(newEvent(fields), admin);
    const ids: string[] = [];
    for (let count = 0; count < 2; count += 1) {
      const request = { event, overrides: {}, now: 5, username: 'joe', source: 'Manual (joe)' };
      ids.push(...(await office.launch(request)).ids);
    }
    await world.settle();
    return { world, event, ids };
  };

  test('are in the activity log with track_manual_jobs, also while they are queued', async () => {
    const { world, event, ids } = await run(true);
    expect(ids).toHaveLength(2);
    const epoch = startMs / 1000;
    expect(entriesOf(world, 'job_run')).toMatchObject(
      [...ids].reverse().map((id) => ({ id, event, username: 'joe', epoch })),
    );
  });

  test('are not without it', async () => {
    expect(entriesOf((await run(false)).world, 'job_run')).toEqual([]);
  });

  test('by a key name the key by its title and the id of its record', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1', { manualJobsTracked: true }));
    await world.worker('w1', 'p1');
    const event = await office.createEvent(newEvent(onDemand), admin);
    const [key] = [...office.state.api_keys.newestFirst()];
    if (key === undefined) throw new Error('no key');
    await office.launch({ event, overrides: {}, now: 5, api_key: key.id });
    expect(entriesOf(world, 'job_run')).toMatchObject([{ api_key: key.id, api_title: key.title }]);
  });

  test('scheduled jobs are no such jobs', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1', { manualJobsTracked: true }));
    const worker = await world.worker('w1', 'p1');
    await worker.work();
    await office.createEvent(newEvent(), admin);
    await world.passMinute(worker);
    expect(worker.held.size).toBe(1);
    expect(entriesOf(world, 'job_run')).toEqual([]);
  });
});

describe('workers in the activity log (behaviour reference 5.12)', () => {
  test('come, are lost, and come back', async () => {
    const { world, worker } = await runningJob();
    const seen = () => entriesOf(world, 'server_enable', 'server_disable').map(({ action }) => action);
    expect(entriesOf(world, 'server_enable')).toMatchObject([{ hostname: 'w1', ip: '127.0.0.1' }]);
    await world.clock.advanceSettling(5_000);
    expect(seen()).toEqual(['server_disable', 'server_enable']);
    worker.beat();
    await world.clock.advanceSettling(1_000);
    expect(seen()).toEqual(['server_enable', 'server_disable', 'server_enable']);
    await world.clock.advanceSettling(130_000);
    expect(seen().slice(0, 1)).toEqual(['server_disable']);
    expect(seen()).toHaveLength(4);
  });

  test('that connect to a new primary have not been away', async () => {
    const world = new OfficeWorld();
    const first = await world.primary('p1');
    await world.primary('p2');
    const worker = await world.worker('w1', 'p1');
    await first.stop();
    await world.clock.advanceSettling(500);
    await worker.connect('p2');
    expect(entriesOf(world, 'server_enable', 'server_disable')).toHaveLength(1);
  });

  test('that leave and have no jobs are gone at once', async () => {
    const world = new OfficeWorld();
    await world.primary('p1');
    const worker = await world.worker('w1', 'p1');
    await worker.leave();
    await worker.die();
    expect(entriesOf(world, 'server_disable')).toMatchObject([{ hostname: 'w1' }]);
  });
});

test('the totals of a day end with it, also when no job runs', async () => {
  const { world, office, worker, job } = await runningJob();
  await worker.settle(job, { code: 3, description: 'Broke' });
  expect(office.state.stats.totals).toMatchObject({ jobs_completed: 1, jobs_failed: 1 });
  await world.pass(86_400_000 - (startMs % 86_400_000) + 60_000);
  expect(office.state.stats).toEqual({
    day: '2023-11-15',
    totals: { jobs_completed: 0, jobs_failed: 0, jobs_elapsed: 0, jobs_log_size: 0, emails_sent: 0 },
  });
});

describe('the activity log (behaviour reference 13 #23)', () => {
  test('holds no credentials of an event', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const script = 'curl http://joe:hunter2@example.com/?token=hunter2';
    await office.createEvent(newEvent({ ...onDemand, params: { script } }), admin);
    const entries = entriesOf(world, 'event_create');
    expect(entries).toHaveLength(1);
    expect(JSON.stringify(entries)).not.toContain('hunter2');
    expect([...office.state.events.newestFirst()][0]?.params['script']).toBe(script);
  });

  test('has the same trouble ten times in ten minutes at the most', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const worker = await world.worker('w1', 'p1');
    await worker.work();
    const event = await office.createEvent(newEvent(onDemand), admin);
    for (let count = 0; count < 15; count += 1) {
      const [job = ''] = (await office.launch({ event, overrides: {}, now: 5 })).ids;
      await world.settle();
      await worker.settle(job, { code: 0, description: '' }, { chain: 'gone' });
    }
    expect(world.warnings()).toHaveLength(10);
  });
});
