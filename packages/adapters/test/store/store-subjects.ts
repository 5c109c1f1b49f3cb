import {
  MemoryLease,
  MemoryLeaseBoard,
  MemoryRunClaims,
  MemoryStore,
  MemoryStoreBoard,
  RedisLease,
  RedisRunClaims,
  RedisStore,
} from '@carillon/adapters';
import type { Lease } from '@carillon/core';
import { FakeClock, type StoreSubject, type TestSession } from '@carillon/testkit';
import { MemoryLogger } from '../../src/logger/index.js';
import type { TestRedis } from '../redis/test-redis.js';

/** Wins the lease anew after ending whatever term there was. */
async function beginTerm(lease: Lease, token: string, expire: () => unknown): Promise<TestSession> {
  await expire();
  const answer = await lease.acquire(token, { id: 'n1', hostname: 'h', url: 'http://h' }, 600_000);
  if (!answer.held) throw new Error('the lease was not free');
  const controller = new AbortController();
  return { term: answer.term, signal: controller.signal, end: () => controller.abort() };
}

/** An empty truth in memory. */
export async function openMemoryStores(): Promise<StoreSubject> {
  const leaseBoard = new MemoryLeaseBoard(new FakeClock());
  const board = new MemoryStoreBoard(leaseBoard);
  const lease = new MemoryLease(leaseBoard);
  const stores: MemoryStore[] = [];
  let terms = 0;
  return {
    newTerm: () => {
      terms += 1;
      return beginTerm(lease, `t${terms}`, () => leaseBoard.expire());
    },
    store: () => {
      const store = new MemoryStore(board);
      stores.push(store);
      return store;
    },
    claims: () => new MemoryRunClaims(board),
    loseNextReply: () => {
      for (const store of stores) store.repeatNextCommit();
    },
    cut: async () => {
      for (const store of stores) store.setOutage(new Error('cut off'));
    },
    mend: async () => {
      for (const store of stores) store.setOutage(undefined);
    },
    close: () => Promise.resolve(),
  };
}

/** An empty truth in Redis. Each store and each claimer has a connection of its own, as on separate nodes. */
export async function openRedisStores(test: TestRedis): Promise<StoreSubject> {
  const keys = test.freshKeys();
  const clients = [test.connect()];
  const [redis = test.connect()] = clients;
  const lease = new RedisLease({ redis, subscriber: redis, keys, log: new MemoryLogger() });
  const open = () => {
    const client = test.connectBreakable();
    clients.push(client);
    return { redis: client, keys };
  };
  let terms = 0;
  return {
    newTerm: () => {
      terms += 1;
      return beginTerm(lease, `t${terms}`, () => redis.del(keys.lease));
    },
    store: () => new RedisStore(open()),
    claims: () => new RedisRunClaims(open()),
    loseNextReply: () => test.proxy.loseNextReply(),
    cut: () => test.proxy.cut(),
    mend: () => test.proxy.mend(),
    close: async () => {
      await test.proxy.mend();
      await Promise.all(clients.map((client) => test.disconnect(client)));
    },
  };
}
