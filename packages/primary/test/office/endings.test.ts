import { describe, expect, test } from '@jest/globals';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { JobOutcome } from '@carillon/contract';
import {
  admin,
  dispatchedJob,
  newEvent,
  officeOf,
  OfficeWorld,
  onDemand,
  startMs,
} from '../support/office-world.js';

const failure: JobOutcome = { code: 7, description: 'Broke' };
const limit: JobOutcome = {
  code: 1,
  description: 'Job Aborted: Exceeded memory limit of 1 GB',
  abort_reason: 'Exceeded memory limit of 1 GB',
  abort: 'memory',
};
const minute = (offset: number) => Math.floor(startMs / 60_000) * 60 + 60 * offset;

async function start() {
  const world = new OfficeWorld();
  const primary = await world.primary('p1');
  const worker = await world.worker('w1', 'p1');
  await worker.work();
  const office = officeOf(primary);
  const create = (fields: Record<string, unknown> = {}) =>
    office.createEvent(newEvent({ ...onDemand, ...fields }), admin);
  const run = async (event: string, overrides: Record<string, unknown> = {}): Promise<string> => {
    const { ids } = await office.launch({ event, overrides, now: 5, source: 'Manual (joe)' });
    await world.settle();
    return ids[0] ?? '';
  };
  return { world, primary, office, worker, create, run };
}

describe('a failed job with retries', () => {
  test('starts again on its server after the delay, under its id, and has one history row in the end', async () => {
    const { world, office, worker, create, run } = await start();
    const event = await create({ retries: 1, retry_delay: 10 });
    const job = await run(event);
    await worker.settle(job, failure, { label: 'first' });
    expect(office.activeJob(job)).toMatchObject({ state: 'waiting', retries: 0, hostname: 'w1' });
    expect(office.activeJob(job)?.when).toBe(startMs / 1000 + (world.clock.nowMs() - startMs) / 1000 + 10);
    await world.pass(9_900, worker);
    expect(worker.held.has(job)).toBe(false);
    await world.pass(200, worker);
    expect(worker.held.get(job)?.attempt).toBe(2);
    await worker.settle(job);
    expect(await office.completedJob(job)).toMatchObject({ code: 0, retries: 0 });
    expect(await office.completedJob(job)).not.toHaveProperty('label');
    expect((await office.history(event, 0, 10)).length).toBe(1);
    expect(office.state.stats.totals).toMatchObject({ jobs_completed: 1, jobs_failed: 0 });
  });

  test('fails with the last error when none is left', async () => {
    const { world, office, worker, create, run } = await start();
    const job = await run(await create({ retries: 2 }));
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await world.settle();
      expect(worker.held.get(job)?.attempt).toBe(attempt);
      await worker.settle(job, { code: attempt, description: `attempt ${attempt}` });
    }
    expect(await office.completedJob(job)).toMatchObject({ code: 3, description: 'attempt 3' });
  });

  test('counts as running during its delay, and can be aborted then', async () => {
    const { office, worker, create, run } = await start();
    const event = await create({ retries: 1, retry_delay: 60, max_children: 1 });
    const job = await run(event);
    await worker.settle(job, failure);
    await expect(run(event)).rejects.toThrow('Maximum of 1 job already running');
    await office.abortJob(job, admin);
    expect(await office.completedJob(job)).toMatchObject({ code: 1, abort_reason: expect.any(String) });
    await run(event);
  });

  test('is not forgotten by a failover during its delay', async () => {
    const { world, primary, worker, create, run } = await start();
    const second = await world.primary('p2');
    const job = await run(await create({ retries: 1, retry_delay: 10 }));
    await worker.settle(job, failure);
    await primary.stop();
    await world.clock.advanceSettling(500);
    await worker.connect('p2');
    await world.pass(10_000, worker);
    expect(worker.held.get(job)?.attempt).toBe(2);
    await worker.settle(job);
    expect(await officeOf(second).completedJob(job)).toMatchObject({ code: 0 });
  });

  test('shows the log of its earlier attempts during its delay', async () => {
    const { world, office, worker, create, run } = await start();
    const job = await run(await create({ retries: 1, retry_delay: 10 }));
    await world.archive.put(job, Readable.from([gzipSync('first attempt')]), 60);
    await worker.settle(job, failure);
    const log = await office.jobLog(job);
    expect(log?.gzip).toBe(true);
    expect(gunzipSync(await buffer(log?.bytes ?? Readable.from([]))).toString()).toBe('first attempt');
  });

  test('moves on when its server leaves before it has started the next attempt', async () => {
    const { world, office, worker, create, run } = await start();
    const job = await run(await create({ retries: 1, retry_delay: 1 }));
    await worker.settle(job, failure);
    await worker.stopWorking();
    await world.pass(1_500, worker);
    expect(office.activeJob(job)).toMatchObject({ state: 'dispatched', hostname: 'w1' });
    const other = await world.worker('w2', 'p1');
    await other.work();
    await worker.leave();
    await world.pass(100, other);
    expect(other.held.get(job)?.attempt).toBe(2);
  });

  test('moves to another server of its target when its own is gone', async () => {
    const { world, office, worker, create, run } = await start();
    const job = await run(await create({ retries: 1, retry_delay: 10 }));
    const begun = office.activeJob(job)?.time_start;
    await worker.settle(job, failure);
    await worker.die();
    const other = await world.worker('w2', 'p1');
    await other.work();
    await world.pass(10_000, other);
    expect(other.held.get(job)?.attempt).toBe(2);
    expect(office.activeJob(job)).toMatchObject({ hostname: 'w2' });
    expect(begun).toBeDefined();
    expect(office.activeJob(job)?.time_start).toBeCloseTo(world.clock.nowMs() / 1000 - 11, 0);
  });

  test('waits for a server, and ends when none comes', async () => {
    const { world, office, worker, create, run } = await start();
    const job = await run(await create({ retries: 1 }));
    await worker.leave();
    await worker.settle(job, failure);
    await world.pass(100_000);
    expect(office.activeJob(job)).toMatchObject({ state: 'waiting' });
    await world.pass(30_000);
    expect(await office.completedJob(job)).toMatchObject({
      code: 1,
      description: 'Failed to retry job: No server is available for it: All Servers',
    });
  });

  test('lost with its worker it is tried again elsewhere; the late result of the first attempt counts for nothing', async () => {
    const { world, office, worker, create, run } = await start();
    const job = await run(await create({ retries: 1 }));
    const other = await world.worker('w2', 'p1');
    await other.work();
    const held = worker.held.get(job);
    await worker.die();
    await world.pass(125_000, other);
    expect(other.held.get(job)?.attempt).toBe(2);
    if (held !== undefined) worker.held.set(job, held);
    await worker.settle(job);
    expect(office.activeJob(job)).toMatchObject({ state: 'running', hostname: 'w2' });
  });
});

describe('a chain reaction', () => {
  test('launches the next event with the data of the plugin', async () => {
    const { world, office, worker, create, run } = await start();
    const target = await create({ title: 'Target', params: { script: 'own', annotate: 1 } });
    const event = await create({ title: 'Source', chain: target });
    const job = await run(event);
    await worker.settle(job, undefined, { chain_data: { a: 1 }, chain_params: { script: 'given', more: 2 } });
    await world.settle();
    const [next] = [...worker.held.values()].map((held) => held.job);
    expect(next).toMatchObject({
      event: target,
      source: 'Chain Reaction (Source)',
      source_event: event,
      source_job: job,
      chain_code: 0,
      chain_description: '',
      chain_data: { a: 1 },
      params: { script: 'given', annotate: 1, more: 2 },
    });
    expect(office.activeJob(next?.id ?? '')).toMatchObject({ state: 'running' });
  });

  test('is in one commit with the end: both are stored, or neither', async () => {
    for (const moment of ['before', 'after'] as const) {
      const { world, primary, office, worker, create, run } = await start();
      const second = await world.primary('p2');
      const event = await create({ chain: await create({ title: 'Target' }) });
      const job = await run(event);
      world.stores.get('p1')?.failNextCommit(new Error('connection lost'), moment);
      await worker.settle(job);
      expect(primary.office()).toBeUndefined();
      await world.clock.advanceSettling(3_000);
      await worker.connect('p2');
      await world.pass(15_000, worker);
      const later = primary.office() ?? officeOf(second);
      expect(await later.completedJob(job)).toMatchObject({ code: 0 });
      expect([...worker.held.values()].map((held) => held.job.source_job)).toEqual([job]);
      expect((await office.history(event, 0, 10)).length).toBe(1);
      await primary.stop();
      await second.stop();
    }
  });

  test.each([
    ['an event that is gone', 'nobody', 'Failed to launch chain reaction: Event ID not found: nobody'],
    [
      'an event that is busy',
      undefined,
      'Failed to launch chain reaction: Busy: Maximum of 1 job already running for event: Busy',
    ],
  ])('to %s leaves a warning, and the job ends all the same', async (_what, chain, warning) => {
    const { world, office, worker, create, run } = await start();
    const busy = await create({ title: 'Busy', max_children: 1 });
    await run(busy);
    const job = await run(await create({ chain_error: chain ?? busy }));
    await worker.settle(job, failure);
    expect(await office.completedJob(job)).toMatchObject({ code: 7 });
    expect(world.warnings()).toEqual([warning]);
  });
});

describe('update_event of a plugin', () => {
  test('changes its event with the end of the job', async () => {
    const { world, office, worker, create, run } = await start();
    const event = await create();
    await worker.settle(await run(event), undefined, { update_event: { enabled: 0, notes: 'by job' } });
    expect(office.state.events.get(event)).toMatchObject({ enabled: 0, notes: 'by job', title: 'Minutely' });
    expect(world.storeBoard.activity()[0]).toMatchObject({
      action: 'event_update',
      event: { id: event, title: 'Minutely', enabled: 0, notes: 'by job' },
    });
  });

  test('that update_event would refuse leaves a warning and the event alone', async () => {
    const { world, office, worker, create, run } = await start();
    const event = await create();
    const job = await run(event);
    await worker.settle(job, undefined, { update_event: { timeout: 'long', notes: 'x' } });
    expect(await office.completedJob(job)).toMatchObject({ code: 0 });
    expect(office.state.events.get(event)).not.toHaveProperty('notes');
    expect(world.warnings()).toEqual([
      `Failed to update event from job: ${job}: Malformed parameter type: timeout (string)`,
    ]);
  });
});

describe('catch-up', () => {
  const minutely = { timing: {}, catch_up: 1, max_children: 1 } as const;
  const minutesOf = (worker: { held: ReadonlyMap<string, { job: { now: number } }> }) =>
    [...worker.held.values()].map((held) => held.job.now);

  test('goes on with the next minute as soon as a job has ended, each minute once and in order', async () => {
    const { world, office, worker, create } = await start();
    await create(minutely);
    await world.passMinute(worker);
    await world.passMinute(worker);
    await world.passMinute(worker);
    const seen: number[] = [];
    for (let count = 0; count < 3; count += 1) {
      expect(worker.held.size).toBe(1);
      seen.push(...minutesOf(worker));
      for (const job of [...worker.held.keys()]) await worker.settle(job);
      await world.settle();
    }
    expect(seen).toEqual([minute(1), minute(2), minute(3)]);
    expect(worker.held.size).toBe(0);
    expect([...office.state.cursors]).toEqual([]);
  });

  test('launches the minute of a job over its limit once more at the next tick, and only that one', async () => {
    const { world, office, worker, create } = await start();
    const event = await create({ ...minutely, max_children: 0 });
    await world.passMinute(worker);
    await world.passMinute(worker);
    const [first, second] = [...worker.held.keys()];
    await worker.settle(first ?? '', limit);
    expect(worker.held.size).toBe(1);
    expect(office.state.redos.get(event)).toEqual([minute(1)]);
    await worker.settle(second ?? '');
    await world.passMinute(worker);
    expect(minutesOf(worker)).toEqual([minute(1), minute(3)]);
    expect(office.state.redos.size).toBe(0);
  });

  test('a minute to redo is not forgotten by a failover', async () => {
    const { world, primary, worker, create } = await start();
    const second = await world.primary('p2');
    await create(minutely);
    await world.passMinute(worker);
    await worker.settle([...worker.held.keys()][0] ?? '', limit);
    await primary.stop();
    await world.clock.advanceSettling(500);
    await worker.connect('p2');
    await world.passMinute(worker);
    expect(minutesOf(worker)).toEqual([minute(1)]);
    await worker.settle([...worker.held.keys()][0] ?? '');
    await world.settle();
    expect(minutesOf(worker)).toEqual([minute(2)]);
    expect(officeOf(second).state.redos.size).toBe(0);
  });

  test('a lost job that was started by hand is started again as it was', async () => {
    const { world, office, worker, create, run } = await start();
    const event = await create({ catch_up: 1 });
    const other = await world.worker('w2', 'p1');
    await other.leave();
    const job = await run(event, { params: { script: 'given' } });
    await worker.die();
    const third = await world.worker('w3', 'p1');
    await third.work();
    await world.pass(125_000, third);
    expect(await office.completedJob(job)).toMatchObject({ special_shutdown: true });
    const [again] = [...third.held.values()].map((held) => held.job);
    expect(again).toMatchObject({ event, source: 'Manual (joe)', now: 5, params: { script: 'given' } });
    expect(again?.id).not.toBe(job);
  });
});

describe('a scheduled launch that is refused', () => {
  test('launches the event of chain_error with the reason', async () => {
    const { world, worker, create } = await start();
    const target = await create({ title: 'Alarm' });
    await create({ timing: {}, target: 'nowhere', chain_error: target });
    await world.passMinute(worker);
    const [alarm] = [...worker.held.values()].map((held) => held.job);
    expect(alarm).toMatchObject({
      event: target,
      source: 'Chain Reaction (Minutely)',
      source_job: '',
      chain_code: 'job_launch_failure',
      chain_description: 'Server or Server Group not found: nowhere',
    });
    expect(world.warnings()).toEqual([
      'Failed to launch scheduled event: Minutely: Server or Server Group not found: nowhere',
    ]);
  });

  test.each([
    ['an event that is gone', 'nobody', 'Event ID not found: nobody', 'ops@example.com'],
    [
      'an event that cannot be launched',
      undefined,
      'Alarm: Server or Server Group not found: gone',
      'alarm@example.com',
    ],
  ])(
    'and whose chain_error is %s leaves a second warning and mail',
    async (_what, chain, reason, recipient) => {
      const { world, worker, create } = await start();
      const alarm = await create({ title: 'Alarm', target: 'gone', notify_fail: 'alarm@example.com' });
      await create({
        timing: {},
        target: 'nowhere',
        chain_error: chain ?? alarm,
        notify_fail: 'ops@example.com',
      });
      await world.passMinute(worker);
      expect(world.warnings()[0]).toBe(`Failed to launch chain reaction: ${reason}`);
      expect(world.warnings()).toHaveLength(2);
      expect(world.mailer.sent.map((mail) => mail.to).sort()).toEqual([recipient, 'ops@example.com'].sort());
      expect(world.mailer.sent.some((mail) => mail.body.includes(reason))).toBe(true);
    },
  );
});

describe('room for queued jobs', () => {
  test('under the limit of a category, when a job of another event ends', async () => {
    const { world, office, worker, create, run } = await start();
    const entry = office.state.categories.entry('general');
    if (entry === undefined) throw new Error('no category');
    office.state.applyChange({
      type: 'put',
      table: 'categories',
      seq: entry.seq,
      record: { ...entry.record, max_children: 1 },
    });
    const running = await run(await create({ title: 'one' }));
    const queued = await run(await create({ title: 'two', queue: 1 }));
    expect(office.activeJob(queued)).toMatchObject({ state: 'queued' });
    await worker.settle(running);
    await world.settle();
    expect([...worker.held.keys()]).toEqual([queued]);
  });

  test('when a worker joins', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const id = await office.createEvent(newEvent({ ...onDemand, queue: 1 }), admin);
    const { ids } = await office.launch({ event: id, overrides: {}, now: 5 });
    const worker = await world.worker('w1', 'p1');
    await worker.work();
    expect([...worker.held.keys()]).toEqual(ids);
  });
});

test('settings changed while a run is being claimed are told to its worker when it reports', async () => {
  const { world, office, worker, job } = await dispatchedJob();
  await office.updateJob(job, { timeout: 9 });
  const before = worker.received.filter((message) => message.type === 'update').length;
  await worker.work();
  await world.settle();
  const updates = worker.received.filter((message) => message.type === 'update');
  expect(updates.slice(before)).toEqual([{ type: 'update', job, attempt: 1, settings: { timeout: 9 } }]);
});
