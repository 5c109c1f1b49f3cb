import type { Ticket } from '@carillon/contract';
import {
  Collector,
  deferred,
  deliveryQueueConformance,
  jobQueueConformance,
  resultOf,
} from '@carillon/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SystemClock } from '../../src/clock/index.js';
import { MemoryLogger } from '../../src/logger/index.js';
import { BullmqJobQueue, type RedeliverySettings } from '../../src/queue/index.js';
import { type TestRedis, startTestRedis } from './redis-server.js';

let redis: TestRedis;
let prefixes = 0;

beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => {
  await redis.stop();
});

const quick: RedeliverySettings = {
  lockMs: 600,
  checkMs: 100,
  firstRetryMs: 10,
  longestRetryMs: 40,
  closeMs: 4_500,
};
const clock = new SystemClock();
const ticket: Ticket = { job: 'j1', attempt: 1, term: 3 };
const result = resultOf('j1');

function freshPrefix(): string {
  prefixes += 1;
  return `{test-${prefixes}}`;
}

function openQueue(prefix: string, redelivery: Partial<RedeliverySettings> = {}) {
  const commands = redis.connect({ maxRetriesPerRequest: 1 });
  const consumers = redis.connect({ maxRetriesPerRequest: null, lazyConnect: true });
  const log = new MemoryLogger();
  const settings = { ...quick, ...redelivery };
  const queue = new BullmqJobQueue({ commands, consumers, prefix, clock, log, redelivery: settings });
  const close = async (): Promise<void> => {
    await queue.close();
    commands.disconnect();
    if (consumers.status !== 'wait') consumers.disconnect();
  };
  return { queue, commands, log, close };
}

jobQueueConformance('BullmqJobQueue', () => Promise.resolve(openQueue(freshPrefix())));
deliveryQueueConformance('BullmqJobQueue', () => Promise.resolve(openQueue(freshPrefix())));

test('its connection takes any number of listeners, also while it is not there yet', async () => {
  const { queue, commands, close } = openQueue(freshPrefix());
  const added = queue.addTicket('n1', ticket);
  const before = commands.getMaxListeners();
  await added;
  expect([before, commands.getMaxListeners()]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  await close();
});

describe('a consumer that dies', () => {
  test.each(['result', 'ticket'] as const)('its %s goes to the next one', async (kind) => {
    const prefix = freshPrefix();
    const stuck = openQueue(prefix, { closeMs: 20 });
    const next = openQueue(prefix);
    const started = deferred();
    const never = deferred();
    const hang = (): Promise<void> => {
      started.resolve();
      return never.promise;
    };
    const consumer =
      kind === 'result' ? stuck.queue.consumeResults(hang, 1) : stuck.queue.consumeTickets('n1', hang);
    await (kind === 'result' ? stuck.queue.addResult(result) : stuck.queue.addTicket('n1', ticket));
    await started.promise;
    // Cuts the connections under the handler, which is what the end of the process does.
    await consumer.close();

    const seen = new Collector<unknown>();
    if (kind === 'result') next.queue.consumeResults(async (value) => seen.add(value), 1);
    else next.queue.consumeTickets('n1', async (value) => seen.add(value));
    await seen.reached(1);
    expect(seen.values).toEqual([kind === 'result' ? result : ticket]);
    never.resolve();
    await Promise.all([stuck.close(), next.close()]);
  });
});

describe('the messages', () => {
  test('leave nothing behind but the record of the queue', async () => {
    const prefix = freshPrefix();
    const { queue, commands, close } = openQueue(prefix);
    const seen = new Collector<string>();
    const consumers = [
      queue.consumeResults(async ({ job }) => seen.add(job), 4),
      queue.consumeTickets('n1', async ({ job }) => seen.add(job)),
    ];
    await queue.addResult(result);
    await queue.addTicket('n1', ticket);
    await seen.reached(2);
    await Promise.all(consumers.map((consumer) => consumer.close()));
    const left = (await commands.keys(`${prefix}:*`)).map((key) => key.slice(prefix.length + 1)).toSorted();
    // Event streams hold one entry, ids a counter.
    expect(
      left.filter((key) => !/^(node-n1|results):(meta|events|id|stalled-check|marker)$/.test(key)),
    ).toEqual([]);
    await queue.discardTickets('n1');
    expect((await commands.keys(`${prefix}:node-n1:*`)).length).toBe(0);
    await close();
  });

  test('have keys of one hash tag, for Redis Cluster', async () => {
    const { queue, commands, close } = openQueue('{carillon}');
    await queue.addTicket('n1', ticket);
    await queue.addResult(result);
    const keys = await commands.keys('*carillon*');
    expect(keys).toContain('{carillon}:node-n1:j1-1');
    expect(keys).toContain('{carillon}:results:j1-1');
    expect(keys.every((key) => key.startsWith('{carillon}:'))).toBe(true);
    await close();
  });

  test('of tickets that are added at once are one, which reaches each of them; a second add of the same is none', async () => {
    const prefix = freshPrefix();
    const { queue, commands, close } = openQueue(prefix);
    const tickets = Array.from({ length: 30 }, (_, n): Ticket => ({ ...ticket, job: `j${n}` }));
    const addAll = () => Promise.all(tickets.map((one) => queue.addTicket('n1', one)));
    await addAll();
    await addAll();
    expect(await commands.llen(`${prefix}:node-n1:wait`)).toBe(1);
    const seen = new Collector<string>();
    const consumer = queue.consumeTickets('n1', async ({ job }) => seen.add(job));
    await seen.reached(30);
    await consumer.close();
    expect(seen.values).toEqual(tickets.map(({ job }) => job));
    await close();
  });

  test('of tickets of which one is rejected come again, all of them', async () => {
    const { queue, close } = openQueue(freshPrefix());
    const seen = new Collector<string>();
    const consumer = queue.consumeTickets('n1', async ({ job }) => {
      seen.add(job);
      if (job === 'j1' && seen.values.length <= 2) throw new Error('not now');
    });
    await Promise.all(['j1', 'j2'].map((job) => queue.addTicket('n1', { ...ticket, job })));
    await seen.reached(4);
    await consumer.close();
    expect(seen.values.toSorted()).toEqual(['j1', 'j1', 'j2', 'j2']);
    await close();
  });

  test('keep fifty tickets in progress, however many they hold', async () => {
    const { queue, close } = openQueue(freshPrefix());
    const end = deferred();
    let inProgress = 0;
    let most = 0;
    const seen = new Collector<string>();
    const consumer = queue.consumeTickets('n1', async ({ job }) => {
      inProgress += 1;
      most = Math.max(most, inProgress);
      if (inProgress === 50) end.resolve();
      await end.promise;
      inProgress -= 1;
      seen.add(job);
    });
    const jobs = Array.from({ length: 180 }, (_, n) => `j${n}`);
    await Promise.all(jobs.map((job) => queue.addTicket('n1', { ...ticket, job })));
    await seen.reached(180);
    await consumer.close();
    expect(most).toBe(50);
    expect(new Set(seen.values)).toEqual(new Set(jobs));
    await close();
  });

  test('of a node that was left paused by half a discarding arrive when it comes back', async () => {
    const prefix = freshPrefix();
    const { queue, commands, close } = openQueue(prefix);
    await queue.addTicket('n1', ticket);
    await commands.hset(`${prefix}:node-n1:meta`, 'paused', 1);
    const seen = new Collector<Ticket>();
    queue.consumeTickets('n1', async (value) => seen.add(value));
    await seen.reached(1);
    expect(seen.values).toEqual([ticket]);
    await close();
  });
});

describe('a message that is handed out twice', () => {
  test('joins the handler that is in progress', async () => {
    const prefix = freshPrefix();
    const { queue, commands, log, close } = openQueue(prefix);
    const started = deferred();
    const end = deferred();
    let calls = 0;
    const consumer = queue.consumeResults(async () => {
      calls += 1;
      started.resolve();
      await end.promise;
    }, 4);
    await queue.addResult(result);
    await started.promise;
    // As after a freeze longer than the lock: the lock is gone, and the stalled check hands the message out again.
    await commands.set(`${prefix}:results:j1-1:lock`, 'somebody else', 'PX', 1);
    await untilLogged(log, 'joins its handler', commands);
    end.resolve();
    await consumer.close();
    expect(calls).toBe(1);
    expect(await queue.hasResult({ job: 'j1', attempt: 1 })).toBe(false);
    await close();
  });
});

describe('while Redis is away', () => {
  test('adding fails soon, and everything works again by itself when it is back', async () => {
    const { queue, commands, log, close } = openQueue(freshPrefix());
    const seen = new Collector<string>();
    queue.consumeResults(async ({ job }) => seen.add(job), 2);
    queue.consumeTickets('n1', async ({ job }) => seen.add(job));
    await queue.addResult(result);
    await seen.reached(1);
    await redis.down();
    await expect(queue.addResult({ ...result, job: 'j2' })).rejects.toThrow();
    // A queue first used while Redis is away must not stay broken.
    await expect(queue.addTicket('n9', ticket)).rejects.toThrow();
    await expect(queue.hasResult({ job: 'j2', attempt: 1 })).rejects.toThrow();
    await redis.up();
    if (commands.status !== 'ready') await new Promise((resolve) => commands.once('ready', resolve));
    await queue.addTicket('n9', ticket);
    await queue.addResult({ ...result, job: 'j3' });
    await queue.addTicket('n1', { ...ticket, job: 'j4' });
    await seen.reached(3);
    expect(seen.values.toSorted()).toEqual(['j1', 'j3', 'j4']);
    const texts = log.lines.map((line) => `${line.message} ${String(line.fields['error'])}`);
    expect(texts.length).toBe(new Set(texts).size);
    await close();
  });

  test('consumers close, whether they ever reached it or not', async () => {
    const connected = openQueue(freshPrefix(), { closeMs: 200 });
    const seen = new Collector<string>();
    const started = deferred();
    const end = deferred();
    const first = connected.queue.consumeResults(async ({ job }) => {
      seen.add(job);
      started.resolve();
      await end.promise;
    }, 2);
    await connected.queue.addResult(result);
    await started.promise;
    await redis.down();
    const never = openQueue(freshPrefix(), { closeMs: 200 });
    const second = never.queue.consumeTickets('n1', () => Promise.resolve());
    end.resolve();
    await Promise.all([first.close(), second.close()]);
    await redis.up();
    // The handler had ended. Either that is recorded by the last words of its connection, or the result comes again.
    connected.queue.consumeResults(async ({ job }) => seen.add(job), 1);
    while (await connected.queue.hasResult({ job: 'j1', attempt: 1 })) await connected.commands.ping();
    expect(new Set(seen.values)).toEqual(new Set(['j1']));
    await Promise.all([connected.close(), never.close()]);
  });
});

/** Waits round trip by round trip, at most as long as the test may take. */
async function untilLogged(
  log: MemoryLogger,
  text: string,
  commands: { ping(): Promise<string> },
): Promise<void> {
  while (!log.lines.some((line) => line.message.includes(text))) await commands.ping();
}
