import { type Change, ClusterState, FencedError, type Session, type Store } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { changeFor, randomCommits, type RandomStep } from './random-changes.js';
import { describeState, dispatchOf, eventOf, finishOf, jobOf } from './state-builders.js';
import { describeReads } from './store-reads-conformance.js';
import { describeUpkeep } from './store-upkeep-conformance.js';
import { openStore, type StoreSubject, withSubject } from './store-subject.js';

type Run = ReturnType<typeof withSubject>;

/** What every implementation of Store must do; `open` makes an empty one. */
export function storeConformance(name: string, open: () => Promise<StoreSubject>): void {
  const subject = withSubject(open);
  describe(`${name}: loading`, () => describeLoading(subject, open));
  describe(`${name}: fencing`, () => describeFencing(subject));
  describe(`${name}: order and repetition`, () => describeSequence(subject));
  describe(`${name}: completed jobs and lists`, () => describeReads(subject));
  describe(`${name}: upkeep`, () => describeUpkeep(subject));
}

const putEvent = (seq: number, title = `t${seq}`): Change => ({
  type: 'put',
  table: 'events',
  seq,
  record: eventOf(`e${seq}`, { title }),
});
const note = (epoch: number): Change => ({
  type: 'activity',
  entry: { action: 'warning', epoch },
  rowMax: 1000,
});

/** Epochs of the activity log, oldest first: each applied `note` leaves one. */
async function notes(store: Store): Promise<number[]> {
  const { rows } = await store.readActivity(0, 1000);
  return rows.map((row) => row.epoch).reverse();
}

function describeLoading(subject: Run, open: () => Promise<StoreSubject>): void {
  test(
    'an empty store loads as a new state',
    subject(async (cluster) => {
      const { state } = await openStore(cluster);
      expect(describeState(state)).toEqual(describeState(new ClusterState()));
    }),
  );

  test('what is loaded is what all committed changes make of an empty state', async () => {
    await fc.assert(
      fc.asyncProperty(randomCommits, async (commits) => {
        const cluster = await open();
        try {
          await replayAndCompare(cluster, commits);
        } finally {
          await cluster.close();
        }
      }),
      { numRuns: 30 },
    );
  }, 30_000);

  test(
    'records are found by title and key again, newest first',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await store.commit(session, [putEvent(3, 'same'), putEvent(11, 'same'), putEvent(2)]);
      await store.commit(session, [putEvent(3, 'same')]);
      const { state } = await openStore(cluster);
      expect([...state.events.newestFirst()].map((event) => event.id)).toEqual(['e11', 'e3', 'e2']);
      expect(state.eventByTitle('same')?.id).toBe('e11');
    }),
  );

  test(
    'a commit of thousands of changes is applied whole',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      const count = 20_000;
      await store.commit(
        session,
        Array.from({ length: count }, (_, index) => putEvent(index + 1)),
      );
      const { state } = await openStore(cluster);
      expect(state.events.size).toBe(count);
      expect(state.events.page(0, 1)[0]?.id).toBe(`e${count}`);
    }),
  );

  test(
    'callers may change what they committed or loaded without changing the store',
    subject(async (cluster) => {
      const { store, session, state } = await openStore(cluster);
      const record = eventOf('e1');
      await store.commit(session, [{ type: 'put', table: 'events', seq: 1, record }]);
      record.title = 'changed afterwards';
      state.applyChange({ type: 'switch', enabled: 0 });
      const next = await openStore(cluster);
      expect(next.state.events.get('e1')?.title).toBe('Event e1');
      expect(next.state.enabled).toBe(1);
    }),
  );
}

async function replayAndCompare(cluster: StoreSubject, commits: RandomStep[][]): Promise<void> {
  const { store, session, state } = await openStore(cluster);
  const acknowledged = commits.map((steps) => {
    const changes: Change[] = [];
    for (const step of steps) {
      const change = changeFor(state, step);
      if (change === undefined) continue;
      state.applyChange(change);
      changes.push(change);
    }
    return store.commit(session, changes);
  });
  await Promise.all(acknowledged);
  const next = await openStore(cluster);
  expect(describeState(next.state)).toEqual(describeState(state));
}

function describeFencing(subject: Run): void {
  test(
    'nothing of an earlier term is written once a new term has begun',
    subject(async (cluster) => {
      const old = await openStore(cluster);
      await old.store.commit(old.session, [...dispatchOf(jobOf('j1')), note(1)]);
      const present = await openStore(cluster);
      const late = [old.store.commit(old.session, [note(2)]), old.store.commit(old.session, [note(3)])];
      for (const commit of late) await expect(commit).rejects.toThrow(FencedError);
      await expect(old.store.commit(old.session, [note(4)])).rejects.toThrow(FencedError);
      await expect(old.store.revoke(old.session, { job: 'j1', attempt: 1 })).rejects.toThrow(FencedError);
      await expect(old.store.load(old.session)).rejects.toThrow(FencedError);
      await present.store.commit(present.session, [note(5)]);
      expect(await notes(present.store)).toEqual([1, 5]);
      expect(await present.store.revoke(present.session, { job: 'j1', attempt: 1 })).toEqual({
        kind: 'revoked',
      });
    }),
  );

  test(
    'a commit of nothing tells whether the term is still the present one',
    subject(async (cluster) => {
      const old = await openStore(cluster);
      await old.store.commit(old.session, []);
      await old.store.commit(old.session, [note(1)]);
      const present = await openStore(cluster);
      await expect(old.store.commit(old.session, [])).rejects.toThrow(FencedError);
      await present.store.commit(present.session, []);
      await present.store.commit(present.session, [note(2)]);
      expect(await notes(present.store)).toEqual([1, 2]);
    }),
  );

  test(
    'one store that served both terms keeps them apart',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      const next = await cluster.newTerm();
      await store.load(next);
      await expect(store.commit(session, [note(1)])).rejects.toThrow(FencedError);
      await store.commit(next, [note(2)]);
      expect(await notes(store)).toEqual([2]);
    }),
  );

  test(
    'a holder that no longer trusts its lease writes nothing',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      session.end();
      await expect(store.commit(session, [note(1)])).rejects.toThrow(FencedError);
      await expect(store.revoke(session, { job: 'j1', attempt: 1 })).rejects.toThrow(FencedError);
      await expect(store.load(session)).rejects.toThrow(FencedError);
      expect(await notes(store)).toEqual([]);
    }),
  );
}

function describeSequence(subject: Run): void {
  test(
    'commits are applied in the order of the calls without waiting for each other',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      const epochs = Array.from({ length: 300 }, (_, index) => index);
      await Promise.all(epochs.map((epoch) => store.commit(session, [note(epoch)])));
      expect(await notes(store)).toEqual(epochs);
    }),
  );

  test(
    'when a reply is lost the commits in flight are still applied exactly once, in order',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await store.commit(session, [note(0)]);
      for (let round = 0; round < 3; round += 1) {
        cluster.loseNextReply();
        await Promise.all([1, 2, 3].map((step) => store.commit(session, [note(3 * round + step)])));
      }
      expect(await notes(store)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }),
  );

  test(
    'after a failed commit every later one of the session fails and writes nothing',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await store.commit(session, [note(1)]);
      await cluster.cut();
      await expect(store.commit(session, [note(2)])).rejects.toThrow();
      await cluster.mend();
      await expect(store.commit(session, [note(3)])).rejects.toThrow();
      await expect(store.commit(session, [note(4)])).rejects.toThrow();
      const next = await openStore(cluster);
      await next.store.commit(next.session, [note(5)]);
      // Whether the failed one itself was applied is unknown.
      expect((await notes(next.store)).filter((epoch) => epoch !== 2)).toEqual([1, 5]);
    }),
  );

  test(
    'commits need a loaded state; loading again starts anew',
    subject(async (cluster) => {
      const session: Session = await cluster.newTerm();
      const store = cluster.store();
      await expect(store.commit(session, [note(1)])).rejects.toThrow();
      await store.load(session);
      await store.commit(session, [note(2)]);
      await store.commit(session, [note(3)]);
      await store.load(session);
      await store.commit(session, [note(4)]);
      expect(await notes(store)).toEqual([2, 3, 4]);
    }),
  );

  test(
    'a store that was loaded before another one of the same term writes nothing more',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await store.commit(session, [note(1)]);
      const other = cluster.store();
      await other.load(session);
      await other.commit(session, [note(2)]);
      await expect(store.commit(session, [note(3)])).rejects.toThrow();
      expect(await notes(other)).toEqual([1, 2]);
    }),
  );

  test(
    'a job ends once, whatever is repeated',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await store.commit(session, dispatchOf(jobOf('j1')));
      await store.commit(session, [finishOf('j1', { code: 0 })]);
      await store.commit(session, [finishOf('j1', { code: 5 }), finishOf('j1', { code: 6 })]);
      expect(await store.readJob('j1')).toMatchObject({ code: 0 });
      expect((await store.readHistory(undefined, 0, 10)).length).toBe(1);
      const { state } = await openStore(cluster);
      expect(state.jobs.size).toBe(0);
      expect(state.stats.totals).toMatchObject({ jobs_completed: 1, jobs_failed: 0 });
    }),
  );
}
