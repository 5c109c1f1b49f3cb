import { deliveryQueueConformance, FakeClock, jobQueueConformance } from '@carillon/testkit';
import { describe, expect, test } from '@jest/globals';
import { SystemClock } from '../../src/clock/index.js';
import { MemoryJobQueue } from '../../src/queue/index.js';

const open = () =>
  Promise.resolve({
    queue: new MemoryJobQueue({ clock: new SystemClock(), retryMs: 1 }),
    close: () => Promise.resolve(),
  });

jobQueueConformance('MemoryJobQueue', open);
deliveryQueueConformance('MemoryJobQueue', open);

describe('MemoryJobQueue', () => {
  test('delivers in order of arrival, and again only when time has passed', async () => {
    const clock = new FakeClock();
    const queue = new MemoryJobQueue({ clock, retryMs: 100 });
    const seen: string[] = [];
    queue.consumeTickets('n1', async ({ job }) => {
      seen.push(job);
      if (job === 'j2' && seen.length < 5) throw new Error('not now');
    });
    for (const job of ['j1', 'j2', 'j3']) await queue.addTicket('n1', { job, attempt: 1, term: 1 });
    await clock.advanceSettling(99);
    expect(seen).toEqual(['j1', 'j2', 'j3']);
    await clock.advanceSettling(1);
    await clock.advanceSettling(100);
    expect(seen).toEqual(['j1', 'j2', 'j3', 'j2', 'j2']);
    expect(clock.pending).toBe(0);
  });

  test('hands out copies', async () => {
    const clock = new FakeClock();
    const queue = new MemoryJobQueue({ clock });
    const ticket = { job: 'j1', attempt: 1, term: 1 };
    const seen: unknown[] = [];
    await queue.addTicket('n1', ticket);
    ticket.term = 2;
    queue.consumeTickets('n1', async (value) => {
      seen.push(value);
    });
    await clock.advanceSettling(0);
    expect(seen).toEqual([{ job: 'j1', attempt: 1, term: 1 }]);
  });

  test('waits longer after each failure of a delivery, up to a minute', async () => {
    const clock = new FakeClock();
    const queue = new MemoryJobQueue({ clock });
    const times: number[] = [];
    queue.consumeDeliveries(async () => {
      times.push(clock.monotonicMs());
      throw new Error('not now');
    }, 1);
    await queue.addDelivery('d1');
    await clock.advanceSettling(300_000);
    expect(times.slice(1).map((time, index) => time - (times[index] ?? 0))).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000,
    ]);
  });
});
