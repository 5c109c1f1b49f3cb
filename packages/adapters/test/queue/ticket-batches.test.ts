import type { Ticket } from '@carillon/contract';
import { expect, test } from '@jest/globals';
import { TicketBatches } from '../../src/queue/ticket-batches.js';

const ticketOf = (job: string): Ticket => ({ job, attempt: 1, term: 1 });

function recorder(longest: number) {
  const sent: [string, string[]][] = [];
  const batches = new TicketBatches(longest, async (node, tickets) => {
    sent.push([node, tickets.map(({ job }) => job)]);
    if (node === 'away') throw new Error('away');
  });
  return { sent, batches };
}

test('tickets for one node of one turn go together, those of the next turn by themselves', async () => {
  const { sent, batches } = recorder(10);
  await Promise.all([
    batches.add('n1', ticketOf('a')),
    batches.add('n2', ticketOf('b')),
    batches.add('n1', ticketOf('c')),
  ]);
  await batches.add('n1', ticketOf('d'));
  expect(sent).toEqual([
    ['n1', ['a', 'c']],
    ['n2', ['b']],
    ['n1', ['d']],
  ]);
});

test('a batch has a longest length; none is lost', async () => {
  const { sent, batches } = recorder(2);
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map((job) => batches.add('n1', ticketOf(job))));
  expect(sent.map(([, jobs]) => jobs)).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
});

test('all tickets of a batch fail with it, and no other', async () => {
  const { batches } = recorder(10);
  const ends = await Promise.allSettled([
    batches.add('away', ticketOf('a')),
    batches.add('away', ticketOf('b')),
    batches.add('n1', ticketOf('c')),
  ]);
  expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
});
