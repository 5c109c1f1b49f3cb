import { FencedError, type Store, type StoreUpkeep } from '@carillon/core';
import { expect, test } from '@jest/globals';
import { finishOf, jobOf } from './state-builders.js';
import { openStore, type TestSession, type withSubject } from './store-subject.js';

type Subject = ReturnType<typeof withSubject>;

/** Ends jobs `j1` … of event `e1`, all in one commit. */
async function endJobs(store: Store, session: TestSession, count: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, index) => `j${index + 1}`);
  await store.commit(
    session,
    ids.flatMap((id) => [{ type: 'job', job: jobOf(id) } as const, finishOf(id, { rowMax: 10_000 })]),
  );
}

async function idsOf(store: Store, event: string | undefined): Promise<string[]> {
  return (await store.readHistory(event, 0, 10_000)).rows.map((row) => row.id);
}

const idsFrom = (newest: number, oldest: number): string[] =>
  Array.from({ length: newest - oldest + 1 }, (_, index) => `j${newest - index}`);

/** The part of the store's conformance that is about retention. */
export function describeUpkeep(subject: Subject): void {
  describeLists(subject);
  describeRecords(subject);
  describeFence(subject);
}

function describeLists(subject: Subject): void {
  test(
    'a list is cut to its length in steps, from the old end, and no other list with it',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await endJobs(store, session, 10);
      const { upkeep } = store;
      expect(await upkeep.trimHistory(session, 'e1', 3, 4)).toBe(4);
      expect(await idsOf(store, 'e1')).toEqual(idsFrom(10, 5));
      expect(await upkeep.trimHistory(session, 'e1', 3, 4)).toBe(3);
      expect(await upkeep.trimHistory(session, 'e1', 3, 4)).toBe(0);
      expect(await idsOf(store, 'e1')).toEqual(idsFrom(10, 8));
      expect(await idsOf(store, undefined)).toEqual(idsFrom(10, 1));
      expect(await upkeep.trimHistory(session, undefined, 20, 4)).toBe(0);
      expect(await upkeep.trimHistory(session, 'none', 1, 4)).toBe(0);
    }),
  );

  test(
    'rows are read from the old end, wherever the list grows meanwhile',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await endJobs(store, session, 7);
      const read = async (skip: number, limit: number) =>
        (await store.upkeep.readOldest('e1', { skip, limit })).map((row) => row.id);
      expect(await read(0, 3)).toEqual(['j1', 'j2', 'j3']);
      await store.commit(session, [{ type: 'job', job: jobOf('j8') }, finishOf('j8')]);
      expect(await read(3, 3)).toEqual(['j4', 'j5', 'j6']);
      expect(await read(6, 3)).toEqual(['j7', 'j8']);
      expect(await read(8, 3)).toEqual([]);
      expect(await store.upkeep.readOldest('none', { skip: 0, limit: 3 })).toEqual([]);
    }),
  );

  test(
    'of the rows at a place those that are named are removed, the others keep their order',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await endJobs(store, session, 12);
      const { upkeep } = store;
      const place = { skip: 2, limit: 5 };
      const rows = await upkeep.readOldest(undefined, { skip: 0, limit: 12 });
      const named = (...ids: string[]) => rows.filter((row) => ids.includes(row.id));
      // j2 and j8 are beyond the place, on either side.
      expect(await upkeep.removeRows(session, undefined, place, named('j2', 'j3', 'j5', 'j7', 'j8'))).toBe(3);
      expect(await idsOf(store, undefined)).toEqual([...idsFrom(12, 8), 'j6', 'j4', 'j2', 'j1']);
      expect(await upkeep.removeRows(session, undefined, place, named('j3', 'j5', 'j7'))).toBe(0);
      expect(await upkeep.removeRows(session, undefined, { skip: 7, limit: 9 }, named('j12', 'j11'))).toBe(2);
      expect(await upkeep.removeRows(session, undefined, { skip: 50, limit: 9 }, named('j1'))).toBe(0);
      expect(await upkeep.removeRows(session, 'none', { skip: 0, limit: 9 }, named('j1'))).toBe(0);
      expect(await idsOf(store, undefined)).toEqual([...idsFrom(10, 8), 'j6', 'j4', 'j2', 'j1']);
      expect(await idsOf(store, 'e1')).toEqual(idsFrom(12, 1));
    }),
  );

  test(
    'a row with contents of every kind is recognised',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      const finish = finishOf('j1');
      const perf: unknown = JSON.parse(
        '{"2":1,"1":-0.1,"__proto__":{"x":1e-7},"text":"\\u2028\\ud800 \\"ü\\\\","big":1e300,"none":null}',
      );
      const row = { ...finish.row, perf, description: '\0\n' };
      await store.commit(session, [
        { type: 'job', job: jobOf('j1') },
        { ...finish, row },
      ]);
      const rows = await store.upkeep.readOldest('e1', { skip: 0, limit: 1 });
      expect(await store.upkeep.removeRows(session, 'e1', { skip: 0, limit: 1 }, rows)).toBe(1);
      expect(await idsOf(store, 'e1')).toEqual([]);
    }),
  );
}

/** All ids, each once, read a few at a time. */
async function recordIds(upkeep: StoreUpkeep): Promise<string[]> {
  const ids = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await upkeep.readRecords(cursor, 7);
    for (const record of page.records) ids.add(record.id);
    cursor = page.next;
  } while (cursor !== undefined);
  return [...ids].sort();
}

function describeRecords(subject: Subject): void {
  test(
    'all records of completed jobs are found, and nothing else',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      expect(await recordIds(store.upkeep)).toEqual([]);
      await endJobs(store, session, 50);
      await store.commit(session, [{ type: 'job', job: jobOf('active') }]);
      expect(await recordIds(store.upkeep)).toEqual(idsFrom(50, 1).sort());
    }),
  );

  test(
    'a record lives until the time it was moved to; one that does not exist is not made',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await endJobs(store, session, 4);
      await store.upkeep.keepRecords(session, [
        { job: 'j1', untilSec: 1_000 },
        { job: 'j2', untilSec: 7_000_000_000 },
        { job: 'j3', untilSec: Number.MAX_SAFE_INTEGER },
        { job: 'j9', untilSec: 7_000_000_000 },
      ]);
      await store.upkeep.keepRecords(session, []);
      expect(await store.readJob('j1')).toBeUndefined();
      expect(await store.readJob('j2')).toEqual(finishOf('j2').record);
      expect(await store.readJob('j9')).toBeUndefined();
      expect(await recordIds(store.upkeep)).toEqual(['j2', 'j3', 'j4']);
    }),
  );

  test(
    'the days noted last are read, by the next primary as well',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      expect(await store.upkeep.readExpireDays()).toBeUndefined();
      await store.upkeep.noteExpireDays(session, 180);
      await store.upkeep.noteExpireDays(session, 7);
      const next = await openStore(cluster);
      expect(await next.store.upkeep.readExpireDays()).toBe(7);
      expect(next.state.enabled).toBe(1);
    }),
  );
}

function describeFence(subject: Subject): void {
  test(
    'nothing is trimmed, removed, moved or noted by an earlier term, or without trust in the lease',
    subject(async (cluster) => {
      const old = await openStore(cluster);
      await endJobs(old.store, old.session, 3);
      const rows = await old.store.upkeep.readOldest(undefined, { skip: 0, limit: 3 });
      const refused = async ({ store: { upkeep }, session }: typeof old) => {
        const writes = [
          () => upkeep.trimHistory(session, undefined, 1, 100),
          () => upkeep.removeRows(session, undefined, { skip: 0, limit: 3 }, rows),
          () => upkeep.keepRecords(session, [{ job: 'j1', untilSec: 1 }]),
          () => upkeep.noteExpireDays(session, 1),
        ];
        for (const write of writes) await expect(write()).rejects.toThrow(FencedError);
      };
      const present = await openStore(cluster);
      await refused(old);
      present.session.end();
      await refused(present);
      expect(await idsOf(present.store, undefined)).toEqual(['j3', 'j2', 'j1']);
      expect(await present.store.readJob('j1')).toBeDefined();
      expect(await present.store.upkeep.readExpireDays()).toBeUndefined();
    }),
  );

  test(
    'a step that fails leaves the commits of the session as they were',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await cluster.cut();
      await expect(store.upkeep.trimHistory(session, undefined, 1, 100)).rejects.toThrow();
      await expect(store.upkeep.readRecords(undefined, 5)).rejects.toThrow();
      await cluster.mend();
      await store.commit(session, [{ type: 'tick', minute: 60 }]);
      expect((await openStore(cluster)).state.tickMinute).toBe(60);
    }),
  );
}
