import { FakeClock, jobQueueConformance } from '@carillon/testkit';
import { describe, expect, test } from '@jest/globals';
import { SystemClock } from '../../src/clock/index.js';
import { MemoryJobQueue } from '../../src/queue/index.js';

jobQueueConformance('MemoryJobQueue', () =>
  Promise.resolve({
    queue: new MemoryJobQueue({ clock: new SystemClock(), retryMs: 1 }),
    close: () => Promise.resolve(),
  }),
);

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
});
