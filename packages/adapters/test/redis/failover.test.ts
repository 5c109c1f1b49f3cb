import {
  BullmqJobQueue,
  closeRedis,
  createRedis,
  keySpace,
  type KeySpace,
  RedisRunClaims,
  RedisStore,
  UnconfirmedWriteError,
} from '@carillon/adapters';
import type { Ticket } from '@carillon/contract';
import type { Change, Session } from '@carillon/core';
import {
  Collector,
  dispatchOf,
  finishOf,
  jobOf,
  type PrivateRedis,
  startPrivateCluster,
  startPrivateSentinel,
} from '@carillon/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { SystemClock } from '../../src/clock/index.js';
import { MemoryLogger } from '../../src/logger/index.js';

/*
 * A master goes away while it is written to: what was acknowledged is there afterwards, once, in order.
 */

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  while (ends.length > 0) await ends.pop()?.();
}, 30_000);

const note = (epoch: number): Change => ({
  type: 'activity',
  entry: { action: 'warning', epoch },
  rowMax: 100_000,
});

/** Two records of different keys, which are both there or neither. */
const both = (epoch: number): Change[] => [
  note(epoch),
  { type: 'robin', event: String(epoch), index: epoch },
];

const stopLater = <Server extends PrivateRedis>(server: Server): Server => {
  ends.push(() => server.stop());
  return server;
};

function openClient(url: string, use: 'commands' | 'blocking' = 'commands') {
  const log = new MemoryLogger();
  const redis = createRedis({ url, log }, use);
  ends.push(() => closeRedis(redis));
  return { redis, log };
}

/** A store in a term of its own. */
async function openStore(redis: Redis, keys: KeySpace, term: number, replicas: number) {
  const session: Session = { term, signal: new AbortController().signal };
  await redis.set(keys.term, String(term));
  const store = new RedisStore({ redis, keys, replicas });
  await store.load(session);
  return { store, session };
}

/** Until commands are answered again: answer by answer, at most as long as the test may take. */
async function untilAnswered(redis: Redis, keys: KeySpace): Promise<void> {
  while (redis.status !== 'end') {
    try {
      await redis.set(keys.health, '1');
      return;
    } catch {
      // Each attempt waits for the client's own limits.
    }
  }
}

/**
 * Commits without a pause, several in flight, while `trouble` comes and goes; a session that fails is followed by the
 * next one. Answers the numbers acknowledged, and those stored in the end.
 */
async function writeThrough(url: string, replicas: number, trouble: () => Promise<unknown>) {
  const keys = keySpace();
  const { redis, log } = openClient(url);
  let over = false;
  ends.push(async () => {
    over = true;
  });
  let epoch = 0;
  const acknowledged: number[] = [];
  const write = async (term: number): Promise<void> => {
    const { store, session } = await openStore(redis, keys, term, replicas);
    while (!over) {
      const batch = Array.from({ length: 20 }, () => {
        epoch += 1;
        return epoch;
      });
      const outcomes = await Promise.allSettled(batch.map((one) => store.commit(session, both(one))));
      acknowledged.push(...batch.filter((_, index) => outcomes[index]?.status === 'fulfilled'));
      const failed = outcomes.find((outcome) => outcome.status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
    }
  };
  const writing = (async () => {
    for (let term = 1; !over; term += 1) {
      await write(term).catch(() => untilAnswered(redis, keys));
    }
  })();
  // Something has been written before, and something is afterwards.
  const written = async (more: number): Promise<void> => {
    const wanted = acknowledged.length + more;
    while (acknowledged.length < wanted && !over) await redis.ping().catch(() => undefined);
  };
  await written(100);
  await trouble();
  await written(100);
  over = true;
  await writing;
  const rows = (await redis.lrange(keys.activity, 0, -1)).map((row) => Number(JSON.parse(row).epoch));
  const robins = (await redis.hkeys(keys.robins)).map(Number);
  return { acknowledged, stored: rows.reverse(), others: robins.toSorted((one, other) => one - other), log };
}

type Written = Awaited<ReturnType<typeof writeThrough>>;

function expectAllKept({ acknowledged, stored, others }: Written): void {
  expect(others).toEqual(stored);
  expect(stored).toEqual([...new Set(stored)].toSorted((one, other) => one - other));
  const kept = new Set(stored);
  expect(acknowledged.filter((epoch) => !kept.has(epoch))).toEqual([]);
}

const ticket = (job: string): Ticket => ({ job, attempt: 1, term: 3 });

/** A consumer of tickets, and the queue that adds them, on connections of their own. */
function openQueue(url: string) {
  const [commands, consumers] = [openClient(url).redis, openClient(url, 'blocking').redis];
  const [clock, log] = [new SystemClock(), new MemoryLogger()];
  const queue = new BullmqJobQueue({ commands, consumers, prefix: keySpace().root, clock, log });
  ends.push(() => queue.close());
  const seen = new Collector<string>();
  queue.consumeTickets('n1', async ({ job }) => seen.add(job));
  /** Adds until it is answered: a repeated add is no second message. */
  const add = async (job: string): Promise<void> => {
    for (;;) {
      try {
        return await queue.addTicket('n1', ticket(job));
      } catch {
        // Each attempt waits for the client's own limits.
      }
    }
  };
  return { seen, add };
}

describe('sentinels', () => {
  test('the master is killed: every acknowledged commit is on the next one, once', async () => {
    const sentinel = stopLater(await startPrivateSentinel());
    const before = await sentinel.masterPort();
    expectAllKept(await writeThrough(sentinel.url, 1, () => sentinel.kill9()));
    expect(await sentinel.masterPort()).not.toBe(before);
    await sentinel.restart();
  }, 60_000);

  test('the master hangs: waiting consumers go to the next one, and so do those that only write', async () => {
    const sentinel = stopLater(await startPrivateSentinel());
    const { seen, add } = openQueue(sentinel.url);
    await add('before');
    await seen.reached(1);
    const resume = await sentinel.pauseMaster();
    await add('after');
    await seen.reached(2);
    expect(seen.values).toEqual(['before', 'after']);
    resume();
  }, 60_000);

  test('passwords of their own are used, and are in no log line', async () => {
    const sentinel = stopLater(await startPrivateSentinel({ password: 'pa55word' }));
    const { redis, log } = openClient(sentinel.url);
    expect(await redis.ping()).toBe('PONG');
    const wrong = openClient(sentinel.url.replace('sentinel-pa55word', 'wr0ng'));
    await expect(wrong.redis.ping()).rejects.toThrow();
    expect(wrong.log.lines.length).toBeGreaterThan(0);
    expect(JSON.stringify([...log.lines, ...wrong.log.lines])).not.toMatch(/pa55word|wr0ng/);
  }, 30_000);

  test('one sentinel of three is enough to find the master; none, or an unknown name, is a clear error', async () => {
    const sentinel = stopLater(await startPrivateSentinel());
    await sentinel.endSentinels();
    expect(await openClient(sentinel.url).redis.ping()).toBe('PONG');
    const { redis, log } = openClient(sentinel.url.replace('/carillon-test', '/other'));
    await expect(redis.ping()).rejects.toThrow();
    expect(log.lines[0]).toMatchObject({
      message: 'Redis cannot be reached',
      fields: { error: expect.stringMatching(/No sentinel can be asked .*(No such master|ECONNREFUSED)/) },
    });
  }, 30_000);
});

describe('writes that replicas must have', () => {
  test('without them nothing is acknowledged, and the next session goes on when they are back', async () => {
    const sentinel = stopLater(await startPrivateSentinel({ downAfterMs: 600_000 }));
    const keys = keySpace();
    const { redis } = openClient(sentinel.url);
    const { store, session } = await openStore(redis, keys, 1, 2);
    await store.commit(session, dispatchOf(jobOf('j1')));
    const claims = new RedisRunClaims({ redis, keys, replicas: 2 });
    const worker = { node: 'n1', boot: 'b1', nonce: 'x' };
    const resume = await sentinel.pauseReplicas();
    await expect(store.commit(session, [note(1)])).rejects.toThrow(UnconfirmedWriteError);
    await expect(store.commit(session, [note(2)])).rejects.toThrow(/earlier write failed/);
    await expect(claims.claim({ job: 'j1', attempt: 1 }, worker)).rejects.toThrow(UnconfirmedWriteError);
    resume();
    const next = await openStore(redis, keys, 2, 2);
    await next.store.commit(next.session, [note(3)]);
    // A repeated claim of the same worker is its own.
    expect(await claims.claim({ job: 'j1', attempt: 1 }, worker)).toMatchObject({ claimed: true });
    const { rows } = await next.store.readActivity(0, 10);
    expect(rows.map(({ epoch }) => epoch)).not.toContain(2);
  }, 30_000);

  test('commits at the same time share a question', async () => {
    const sentinel = stopLater(await startPrivateSentinel({ downAfterMs: 600_000 }));
    const keys = keySpace();
    const { redis } = openClient(sentinel.url);
    const { store, session } = await openStore(redis, keys, 1, 2);
    await Promise.all(Array.from({ length: 500 }, (_, epoch) => store.commit(session, [note(epoch)])));
    expect(Number(await redis.get(keys.confirmation))).toBeLessThan(250);
    expect(await redis.llen(keys.activity)).toBe(500);
  }, 30_000);
});

describe('a cluster', () => {
  test('the master of our keys is killed and comes back: every acknowledged commit is there, once', async () => {
    const cluster = stopLater(await startPrivateCluster());
    expectAllKept(
      await writeThrough(cluster.url, 0, async () => {
        await cluster.kill9();
        await cluster.restart();
      }),
    );
  }, 60_000);

  test('the master of our keys is killed: its replica takes over with every acknowledged commit, once', async () => {
    const cluster = stopLater(await startPrivateCluster({ replica: true }));
    const before = await cluster.ownerPort();
    expectAllKept(
      await writeThrough(cluster.url, 1, async () => {
        await cluster.kill9();
        // Nothing is acknowledged while the new master has no replica.
        await cluster.restart();
      }),
    );
    expect(await cluster.ownerPort()).not.toBe(before);
  }, 60_000);

  test('master and replica change places, as planned: nothing is lost without a word from the replicas', async () => {
    const cluster = stopLater(await startPrivateCluster({ replica: true }));
    const before = await cluster.ownerPort();
    expectAllKept(await writeThrough(cluster.url, 0, () => cluster.swap()));
    expect(await cluster.ownerPort()).not.toBe(before);
  }, 60_000);

  test('our slot moves to another master', async () => {
    const cluster = stopLater(await startPrivateCluster());
    const before = await cluster.ownerPort();
    expectAllKept(await writeThrough(cluster.url, 0, () => cluster.moveSlot()));
    expect(await cluster.ownerPort()).not.toBe(before);
  }, 60_000);

  test('what was put aside is applied as a whole or not at all while our slot moves', async () => {
    const cluster = stopLater(await startPrivateCluster());
    const keys = keySpace();
    const { redis } = openClient(cluster.url);
    const { store, session } = await openStore(redis, keys, 1, 0);
    await store.commit(session, [note(1)]);
    await store.stage(session, 'i1', 0, [
      { type: 'past-rows', to: { list: 'activity' }, rows: [{ action: 'past', epoch: 0 }], rowMax: 10 },
      { type: 'past-job', record: finishOf('j1').record, expireSec: 60 },
    ]);
    const slot = await redis.call('CLUSTER', 'KEYSLOT', keys.root);
    const other = String(await redis.call('CLUSTER', 'NODES'))
      .split('\n')
      .find((line) => line.includes(' master '));
    await redis.call('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', other?.split(' ')[0] ?? '');
    const staged: Change = { type: 'staged', stage: 'i1', pieces: 1 };
    await expect(store.commit(session, [staged, note(2)])).rejects.toThrow('TRYAGAIN');
    await redis.call('CLUSTER', 'SETSLOT', String(slot), 'STABLE');
    expect(await redis.llen(keys.activity)).toBe(1);
  }, 60_000);

  test('the master hangs: waiting consumers go to its replica', async () => {
    const cluster = stopLater(await startPrivateCluster({ replica: true }));
    const { seen, add } = openQueue(cluster.url);
    await add('before');
    await seen.reached(1);
    const resume = await cluster.pauseOwner();
    await add('after');
    await seen.reached(2);
    expect(seen.values).toEqual(['before', 'after']);
    resume();
  }, 60_000);

  test('a server that is in no cluster is a clear error', async () => {
    const sentinel = stopLater(await startPrivateSentinel());
    const url = `redis+cluster://127.0.0.1:${await sentinel.masterPort()}`;
    const { redis, log } = openClient(url);
    await expect(redis.ping()).rejects.toThrow();
    expect(log.lines[0]?.fields['error']).toMatch(/cluster support disabled/);
  }, 30_000);
});
