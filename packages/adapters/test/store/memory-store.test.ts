import { MemoryLease, MemoryLeaseBoard, MemoryStore, MemoryStoreBoard } from '@carillon/adapters';
import {
  claimsConformance,
  dispatchOf,
  FakeClock,
  finishOf,
  jobOf,
  storeConformance,
  storeTransferConformance,
} from '@carillon/testkit';
import { describe, expect, test } from '@jest/globals';
import { openMemoryStores } from './store-subjects.js';

storeConformance('MemoryStore', openMemoryStores);
storeTransferConformance('MemoryStore', openMemoryStores);
claimsConformance('MemoryRunClaims', openMemoryStores);

async function openOne() {
  const clock = new FakeClock();
  const leaseBoard = new MemoryLeaseBoard(clock);
  const board = new MemoryStoreBoard(leaseBoard);
  const answer = await new MemoryLease(leaseBoard).acquire('t', { id: 'n', hostname: 'h', url: 'u' }, 1000);
  if (!answer.held) throw new Error('the lease was not free');
  const session = { term: answer.term, signal: new AbortController().signal };
  const store = new MemoryStore(board);
  await store.load(session);
  return { clock, session, store };
}

describe('MemoryStore: scripted failures', () => {
  test.each([
    ['before', undefined],
    ['after', 1_700_000_100],
  ] as const)('a commit that fails %s it is applied', async (moment, expected) => {
    const { session, store } = await openOne();
    store.failNextCommit(new Error('no reply'), moment);
    await expect(store.commit(session, [{ type: 'tick', minute: 1_700_000_100 }])).rejects.toThrow(
      'no reply',
    );
    await expect(store.commit(session, [{ type: 'tick', minute: 1 }])).rejects.toThrow('no reply');
    expect((await store.load(session)).tickMinute).toBe(expected);
  });

  test('a completed job is gone when its time is over', async () => {
    const { clock, session, store } = await openOne();
    await store.commit(session, [...dispatchOf(jobOf('j1')), finishOf('j1')]);
    clock.advance(3_599_000);
    expect(await store.readJob('j1')).toBeDefined();
    clock.advance(1_000);
    expect(await store.readJob('j1')).toBeUndefined();
  });
});
