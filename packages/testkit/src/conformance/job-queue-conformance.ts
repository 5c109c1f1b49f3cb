import type { JobResult, Ticket } from '@carillon/contract';
import type { JobQueue, TicketSource } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import { Collector, deferred } from './deferred.js';

export interface JobQueueSubject {
  queue: JobQueue & TicketSource;
  /** Ends everything the subject started. */
  close(): Promise<void>;
}

const ticketOf = (job: string, term = 7): Ticket => ({ job, attempt: 1, term });
/** The result of a job that ended well. */
export const resultOf = (job: string, attempt = 1): JobResult => ({
  job,
  attempt,
  node: 'n1',
  hostname: 'one',
  time_start: 1_700_000_000.25,
  time_end: 1_700_000_001.5,
  pid: 4711,
  outcome: { code: 0, description: 'ünïcode ✔' },
  log_file_size: 12,
  reported: { perf: { total: 1.5 }, label: 'x' },
});

type Run = (body: (queue: JobQueueSubject['queue']) => Promise<void>) => () => Promise<void>;

/** Each test gets a queue of its own, closed afterwards whatever happens. */
const runner =
  (open: () => Promise<JobQueueSubject>): Run =>
  (body) =>
  async () => {
    const subject = await open();
    try {
      await body(subject.queue);
    } finally {
      await subject.close();
    }
  };

/** What every implementation of JobQueue and TicketSource must do; `open` makes an empty one. */
export function jobQueueConformance(name: string, open: () => Promise<JobQueueSubject>): void {
  const withQueue = runner(open);
  describe(`${name}: delivery`, () => describeDelivery(withQueue));
  describe(`${name}: handlers`, () => describeHandlers(withQueue));
  describe(`${name}: closing`, () => describeClosing(withQueue));
}

function describeDelivery(withQueue: Run): void {
  test(
    'a ticket reaches its own node as it was added, also when it was there first',
    withQueue(async (queue) => {
      const here = new Collector<Ticket>();
      const there = new Collector<Ticket>();
      await queue.addTicket('n1', ticketOf('j1'));
      await queue.addTicket('n2', ticketOf('j2'));
      queue.consumeTickets('n1', async (ticket) => here.add(ticket));
      queue.consumeTickets('n2', async (ticket) => there.add(ticket));
      await Promise.all([here.reached(1), there.reached(1)]);
      await queue.addTicket('n1', ticketOf('j3'));
      await here.reached(2);
      expect(here.values).toEqual([ticketOf('j1'), ticketOf('j3')]);
      expect(there.values).toEqual([ticketOf('j2')]);
    }),
  );

  test(
    'a result arrives unchanged',
    withQueue(async (queue) => {
      const seen = new Collector<JobResult>();
      queue.consumeResults(async (result) => seen.add(result), 1);
      await queue.addResult(resultOf('j1'));
      await seen.reached(1);
      expect(seen.values).toEqual([resultOf('j1')]);
    }),
  );

  test(
    'adding a run that is still queued changes nothing; another attempt is another run',
    withQueue(async (queue) => {
      const seen = new Collector<string>();
      await queue.addResult(resultOf('j1'));
      await queue.addResult({ ...resultOf('j1'), hostname: 'other' });
      await queue.addResult(resultOf('j1', 2));
      const consumer = queue.consumeResults(
        async ({ job, attempt, hostname }) => seen.add(`${job} ${attempt} ${hostname}`),
        1,
      );
      await seen.reached(2);
      await consumer.close();
      expect(seen.values.toSorted()).toEqual(['j1 1 one', 'j1 2 one']);
    }),
  );

  test(
    'a run that was handled may be added again',
    withQueue(async (queue) => {
      const seen = new Collector<string>();
      const first = queue.consumeTickets('n1', async ({ job }) => seen.add(job));
      await queue.addTicket('n1', ticketOf('j1'));
      await seen.reached(1);
      await first.close();
      await queue.addTicket('n1', ticketOf('j1'));
      queue.consumeTickets('n1', async ({ job }) => seen.add(job));
      await seen.reached(2);
      expect(seen.values).toEqual(['j1', 'j1']);
    }),
  );

  test(
    'discarded tickets are gone, later ones arrive',
    withQueue(async (queue) => {
      const seen = new Collector<string>();
      await queue.addTicket('n1', ticketOf('j1'));
      await queue.addTicket('n1', ticketOf('j2'));
      await queue.discardTickets('n1');
      await queue.discardTickets('never-seen');
      await queue.addTicket('n1', ticketOf('j3'));
      const consumer = queue.consumeTickets('n1', async ({ job }) => seen.add(job));
      await seen.reached(1);
      await consumer.close();
      expect(seen.values).toEqual(['j3']);
    }),
  );

  test(
    'two consumers share the results and miss none',
    withQueue(async (queue) => {
      const seen = new Collector<string>();
      const jobs = Array.from({ length: 200 }, (_, n) => `j${n}`);
      queue.consumeResults(async ({ job }) => seen.add(job), 8);
      queue.consumeResults(async ({ job }) => seen.add(job), 8);
      await Promise.all(jobs.map((job) => queue.addResult(resultOf(job))));
      await seen.reached(jobs.length);
      expect(new Set(seen.values)).toEqual(new Set(jobs));
    }),
  );
}

function describeHandlers(withQueue: Run): void {
  test(
    'a rejected result and a rejected ticket come again until their handler resolves',
    withQueue(async (queue) => {
      const seen = new Collector<string>();
      const handler = async (kind: string): Promise<void> => {
        seen.add(kind);
        if (seen.values.filter((value) => value === kind).length < 3) throw new Error('not now');
      };
      const consumers = [
        queue.consumeResults(() => handler('result'), 1),
        queue.consumeTickets('n1', () => handler('ticket')),
      ];
      await queue.addResult(resultOf('j1'));
      await queue.addTicket('n1', ticketOf('j1'));
      await seen.reached(6);
      await Promise.all(consumers.map((consumer) => consumer.close()));
      expect(seen.values.toSorted()).toEqual(['result', 'result', 'result', 'ticket', 'ticket', 'ticket']);
      expect(await queue.hasResult({ job: 'j1', attempt: 1 })).toBe(false);
    }),
  );

  test(
    'a handler that throws at once counts as one that rejects',
    withQueue(async (queue) => {
      const seen = new Collector<string>();
      queue.consumeTickets('n1', ({ job }) => {
        seen.add(job);
        if (seen.values.length === 1) throw new Error('not now');
        return Promise.resolve();
      });
      await queue.addTicket('n1', ticketOf('j1'));
      await seen.reached(2);
      expect(seen.values).toEqual(['j1', 'j1']);
    }),
  );

  test(
    'hasResult is true from the add to the end of the handler, also between two tries',
    withQueue(async (queue) => {
      const run = { job: 'j1', attempt: 1 };
      const started = [deferred(), deferred()];
      const end = deferred();
      let calls = 0;
      expect(await queue.hasResult(run)).toBe(false);
      await queue.addResult(resultOf('j1'));
      expect(await queue.hasResult(run)).toBe(true);
      expect(await queue.hasResult({ ...run, attempt: 2 })).toBe(false);
      const consumer = queue.consumeResults(async () => {
        calls += 1;
        started[calls - 1]?.resolve();
        if (calls === 1) throw new Error('not now');
        await end.promise;
      }, 1);
      await started[0]?.promise;
      expect(await queue.hasResult(run)).toBe(true);
      await started[1]?.promise;
      expect(await queue.hasResult(run)).toBe(true);
      end.resolve();
      await consumer.close();
      expect(await queue.hasResult(run)).toBe(false);
    }),
  );

  test(
    'no more results are handled at one time than allowed, and as many are',
    withQueue(async (queue) => {
      const seen = new Collector<string>();
      const bothBusy = deferred();
      let busy = 0;
      let most = 0;
      queue.consumeResults(async ({ job }) => {
        busy += 1;
        most = Math.max(most, busy);
        if (busy === 2) bothBusy.resolve();
        await bothBusy.promise;
        busy -= 1;
        seen.add(job);
      }, 2);
      for (let n = 0; n < 10; n += 1) await queue.addResult(resultOf(`j${n}`));
      await seen.reached(10);
      expect(most).toBe(2);
    }),
  );
}

function describeClosing(withQueue: Run): void {
  test(
    'close waits for the handler in progress and takes nothing new',
    withQueue(async (queue) => {
      const seen: string[] = [];
      const started = deferred();
      const end = deferred();
      const consumer = queue.consumeResults(async ({ job }) => {
        started.resolve();
        await end.promise;
        seen.push(job);
      }, 1);
      await queue.addResult(resultOf('j1'));
      await started.promise;
      await queue.addResult(resultOf('j2'));
      const closed = consumer.close().then(() => seen.push('closed'));
      end.resolve();
      await closed;
      expect(seen).toEqual(['j1', 'closed']);
      expect(await queue.hasResult({ job: 'j1', attempt: 1 })).toBe(false);
      expect(await queue.hasResult({ job: 'j2', attempt: 1 })).toBe(true);

      const later = new Collector<string>();
      queue.consumeResults(async ({ job }) => later.add(job), 1);
      await later.reached(1);
      expect(later.values).toEqual(['j2']);
    }),
  );

  test(
    'closing an idle consumer, and closing twice, does nothing',
    withQueue(async (queue) => {
      const consumer = queue.consumeTickets('n1', () => Promise.resolve());
      await consumer.close();
      await consumer.close();
      await queue.addTicket('n1', ticketOf('j1'));
      const seen = new Collector<string>();
      queue.consumeTickets('n1', async ({ job }) => seen.add(job));
      await seen.reached(1);
      expect(seen.values).toEqual(['j1']);
    }),
  );
}
