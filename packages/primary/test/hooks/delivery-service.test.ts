import type { Delivery } from '@carillon/contract';
import { crowdedOutbox } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import { officeOf, OfficeWorld } from '../support/office-world.js';
import { hookUrl, WorldDesk } from './desk.js';

const minuteMs = 60_000;

async function openDesk(settings: Parameters<typeof WorldDesk.open>[1] = {}) {
  const world = new OfficeWorld();
  return { world, desk: (await WorldDesk.open(world, settings)).start() };
}

describe('what is delivered', () => {
  test('a web hook is sent as stored, leaves the outbox and has a record', async () => {
    const { world, desk } = await openDesk();
    const hook = desk.hook();
    await desk.put(hook);
    expect(world.hooks.received).toMatchObject([
      { url: hookUrl, body: hook.type === 'hook' ? hook.body : '' },
    ]);
    expect(desk.outbox()).toEqual([]);
    expect(await desk.rows()).toMatchObject([{ id: hook.id, type: 'hook', code: 0, attempts: 1, job: 'j1' }]);
    expect(await desk.activity()).toEqual([]);
    expect(desk.office.state.stats.totals.emails_sent).toBe(0);
    await desk.service.stop();
  });

  test('an e-mail is sent, recorded and counted', async () => {
    const { world, desk } = await openDesk();
    await desk.put(desk.mail(), desk.mail('b@example.com'));
    expect(world.mailer.sent.map(({ to }) => to)).toEqual(['a@example.com', 'b@example.com']);
    expect(await desk.rows()).toMatchObject([
      { type: 'mail', code: 0 },
      { type: 'mail', code: 0 },
    ]);
    expect(desk.office.state.stats).toMatchObject({ day: '2023-11-14', totals: { emails_sent: 2 } });
    await desk.service.stop();
  });

  test('nothing is sent before it is durable', async () => {
    const { world, desk } = await openDesk();
    desk.store.failNextCommit(new Error('lost'), 'before');
    await expect(desk.put(desk.hook())).rejects.toThrow(/not confirmed/);
    await world.clock.advanceSettling(2 * minuteMs);
    expect(world.hooks.received).toEqual([]);
    await desk.service.stop();
  });

  test('nothing runs after the end', async () => {
    const { world, desk } = await openDesk();
    world.hooks.reply = () => 'silent';
    world.mailer.reply = 'silent';
    await desk.put(desk.hook(), desk.mail());
    await desk.service.stop();
    await world.settle();
    // The queue's own waits, in which messages survive in real life.
    await world.clock.advanceSettling(minuteMs);
    expect(world.clock.pending).toBe(0);
  });
});

describe('failures', () => {
  test('that may pass come again with growing waits, until the tries are used up', async () => {
    const { world, desk } = await openDesk();
    const times: number[] = [];
    world.hooks.reply = () => {
      times.push(world.clock.monotonicMs());
      return { status: 503 };
    };
    const startMs = world.clock.monotonicMs();
    await desk.put(desk.hook('http://hook.test/x?token=hunter2'));
    await world.clock.advanceSettling(10 * minuteMs);
    expect(times.map((time) => time - startMs)).toEqual([0, 1_000, 3_000, 7_000, 15_000]);
    expect(await desk.rows()).toMatchObject([{ code: 503, attempts: 5, elapsed: 15, target: hookUrl }]);
    expect(await desk.activity()).toMatchObject([
      {
        action: 'warning',
        description: `Failed to deliver web hook for job: j1: ${hookUrl}: HTTP 503 Service Unavailable`,
      },
    ]);
    expect(JSON.stringify(world.log.lines)).not.toContain('hunter2');
    expect(desk.outbox()).toEqual([]);
    await desk.service.stop();
  });

  test('that pass leave one record', async () => {
    const { world, desk } = await openDesk();
    let calls = 0;
    world.hooks.reply = () => {
      calls += 1;
      return calls < 3 ? 'dead' : { status: 204 };
    };
    await desk.put(desk.hook());
    await world.clock.advanceSettling(minuteMs);
    expect(await desk.rows()).toMatchObject([{ code: 0, attempts: 3 }]);
    expect(await desk.activity()).toEqual([]);
    await desk.service.stop();
  });

  test.each([
    [404, 5, 1],
    [410, undefined, 1],
    [302, undefined, 1],
    [500, 0, 1],
    [500, 2, 3],
    [429, undefined, 5],
  ])('of status %i with %s retries end after %i tries', async (status, retries, attempts) => {
    const { world, desk } = await openDesk();
    world.hooks.reply = () => ({ status });
    await desk.put(desk.hook(hookUrl, retries));
    await world.clock.advanceSettling(10 * minuteMs);
    expect(world.hooks.received).toHaveLength(attempts);
    expect(await desk.rows()).toMatchObject([{ code: status, attempts }]);
    await desk.service.stop();
  });

  test('of e-mails are told in the activity log, for jobs and for events', async () => {
    const { world, desk } = await openDesk();
    const { job: _job, ...ofEvent } = desk.mail('550@example.com');
    await desk.put(desk.mail('550@example.com'), ofEvent as Delivery, desk.mail('450@example.com'));
    await world.clock.advanceSettling(10 * minuteMs);
    expect((await desk.activity()).map(({ action, description }) => [action, description])).toEqual([
      ['error', 'Failed to send e-mail for job: j1: 450@example.com: 450 refused'],
      ['error', 'Failed to send e-mail for event: e1: 550@example.com: 550 refused'],
      ['error', 'Failed to send e-mail for job: j1: 550@example.com: 550 refused'],
    ]);
    expect((await desk.rows()).map(({ attempts }) => attempts)).toEqual([5, 1, 1]);
    expect(desk.office.state.stats.totals.emails_sent).toBe(0);
    await desk.service.stop();
  });

  test('end when an hour is over, however few tries there were', async () => {
    const { world, desk } = await openDesk();
    world.hooks.reply = () => 'dead';
    const old = { ...desk.hook(hookUrl, 1000), createdMs: world.clock.nowMs() - 59 * minuteMs };
    await desk.put(old);
    await world.clock.advanceSettling(3 * minuteMs);
    const [row] = await desk.rows();
    expect(row?.elapsed).toBeGreaterThanOrEqual(3_600);
    expect(row?.elapsed).toBeLessThan(3_660);
    await desk.service.stop();
  });

  test('of an unknown kind are recorded instead of coming for ever', async () => {
    const { desk } = await openDesk();
    await desk.put({ ...desk.mail(), type: 'pigeon' } as unknown as Delivery);
    expect(await desk.rows()).toMatchObject([{ code: 'unknown' }]);
    await desk.service.stop();
  });

  test('are final while far too many are on their way', async () => {
    const { world, desk } = await openDesk();
    world.hooks.reply = ({ url }) => (url === hookUrl ? { status: 503 } : 'silent');
    const hung = desk.hook('http://hung.test/');
    const many = Array.from({ length: crowdedOutbox }, (_, n): Delivery => ({ ...hung, id: `h${n}` }));
    for (const delivery of many) desk.office.state.applyChange({ type: 'delivery', delivery });
    await desk.put(desk.hook());
    expect(await desk.rows()).toMatchObject([{ code: 503, attempts: 1 }]);
    await desk.service.stop();
  });
});

describe('max_emails_per_day', () => {
  test('is told once for each mail that is not sent, and begins anew with the day', async () => {
    const { world, desk } = await openDesk({ maxEmailsPerDay: 2 });
    await desk.put(desk.mail('1@example.com'), desk.mail('2@example.com'), desk.mail('3@example.com'));
    await desk.put(desk.mail('4@example.com'));
    expect(world.mailer.sent.map(({ to }) => to)).toEqual(['1@example.com', '2@example.com']);
    const text = 'Maximum limit has been reached for today (2)';
    expect((await desk.activity()).map(({ action, description }) => [action, description])).toEqual([
      ['error', `Failed to send e-mail for job: j1: 4@example.com: ${text}`],
      ['error', `Failed to send e-mail for job: j1: 3@example.com: ${text}`],
    ]);
    await world.clock.advanceSettling(24 * 60 * minuteMs);
    await desk.put(desk.mail('5@example.com'));
    expect(world.mailer.sent).toHaveLength(3);
    expect(await desk.activity()).toHaveLength(2);
    await desk.service.stop();
  });

  test('holds for an event mail too, and says nothing about web hooks', async () => {
    const { world, desk } = await openDesk({ maxEmailsPerDay: 1 });
    const { job: _job, ...ofEvent } = desk.mail('2@example.com');
    await desk.put(desk.mail(), ofEvent as Delivery, desk.hook());
    expect(world.mailer.sent).toHaveLength(1);
    expect(world.hooks.received).toHaveLength(1);
    expect(await desk.activity()).toMatchObject([
      {
        description: expect.stringMatching(
          /^Failed to send e-mail for event: e1: 2@example.com: Maximum limit/,
        ),
      },
    ]);
    await desk.service.stop();
  });
});

describe('one receiver that does not answer', () => {
  test('holds up nobody else, and gets few requests at one time', async () => {
    const { world, desk } = await openDesk();
    let hung = 0;
    world.hooks.reply = ({ url }) => {
      if (!url.startsWith('http://hung.test')) return { status: 200 };
      hung += 1;
      return 'silent';
    };
    await desk.put(...Array.from({ length: 100 }, () => desk.hook('http://hung.test/', 0)));
    expect(hung).toBe(4);
    await desk.put(desk.hook(), desk.mail());
    expect((await desk.rows()).map(({ code }) => code)).toEqual([0, 0]);
    // Each place is given to the next in line.
    await world.clock.advanceSettling(30_000);
    await world.settle();
    expect(hung).toBe(8);
    await world.clock.advanceSettling(40 * minuteMs);
    expect(hung).toBe(100);
    expect(desk.outbox()).toEqual([]);
    await desk.service.stop();
  });
});

describe('nothing is lost', () => {
  test('what was stored and not sent is sent by the next primary', async () => {
    const { world, desk } = await openDesk();
    world.hooks.reply = () => 'silent';
    const hook = desk.hook();
    await desk.put(hook);
    await desk.service.stop();
    expect(await desk.rows()).toEqual([]);
    world.hooks.reply = () => ({ status: 200 });
    const next = (await WorldDesk.open(world)).start();
    await world.clock.advanceSettling(minuteMs);
    expect(await next.rows()).toMatchObject([{ id: hook.id, code: 0 }]);
    expect(next.outbox()).toEqual([]);
    await next.service.stop();
  });

  test('what was sent and not recorded is sent again, and has one record', async () => {
    const { world, desk } = await openDesk();
    world.hooks.reply = () => {
      desk.store.failNextCommit(new Error('cut off'), 'before');
      return { status: 200 };
    };
    await desk.put(desk.hook());
    await desk.service.stop();
    world.hooks.reply = () => ({ status: 200 });
    const next = (await WorldDesk.open(world)).start();
    await world.clock.advanceSettling(minuteMs);
    expect(world.hooks.received).toHaveLength(2);
    expect(world.hooks.received[1]).toEqual(world.hooks.received[0]);
    expect(await next.rows()).toMatchObject([{ code: 0 }]);
    await next.service.stop();
  });

  test('a hint that gets lost is repeated', async () => {
    const { world, desk } = await openDesk();
    const add = world.queue.addDelivery.bind(world.queue);
    world.queue.addDelivery = () => Promise.reject(new Error('Redis is away'));
    await desk.put(desk.hook());
    world.queue.addDelivery = add;
    expect(world.hooks.received).toEqual([]);
    await world.clock.advanceSettling(2 * minuteMs);
    expect(await desk.rows()).toMatchObject([{ code: 0, attempts: 1 }]);
    await desk.service.stop();
  });

  test('hints about nothing, and repeated ones, send nothing', async () => {
    const { world, desk } = await openDesk();
    world.hooks.reply = () => 'silent';
    const hook = desk.hook();
    await desk.put(hook);
    await world.queue.addDelivery('dnone');
    await world.queue.addDelivery(hook.id);
    await world.settle();
    expect(world.hooks.received).toHaveLength(1);
    await desk.service.stop();
  });

  test('a primary that takes office sends what it finds', async () => {
    const world = new OfficeWorld();
    const before = await WorldDesk.open(world);
    await before.put(before.hook(), before.mail());
    before.lose();
    world.leaseBoard.expire();
    const primary = await world.primary('p2');
    await world.settle();
    expect(world.hooks.received).toHaveLength(1);
    expect(world.mailer.sent).toHaveLength(1);
    expect(officeOf(primary).state.deliveries.size).toBe(0);
    expect(officeOf(primary).state.stats.totals.emails_sent).toBe(1);
    await primary.stop();
  });
});
