import type { Change, PastChange } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import { describeState, dispatchOf, finishOf, jobOf } from './state-builders.js';
import { openStore, type StoreSubject, withSubject } from './store-subject.js';

type Run = ReturnType<typeof withSubject>;

/** What every Store must do for exports and imports; `open` makes an empty one. */
export function storeTransferConformance(name: string, open: () => Promise<StoreSubject>): void {
  const subject = withSubject(open);
  describe(`${name}: what is put aside`, () => describeStages(subject));
  describe(`${name}: copies of lists`, () => describeCopies(subject));
}

const row = (id: string) => finishOf(id).row;
const rowsTo = (list: 'history' | 'activity' | 'deliveries', rows: object[], rowMax = 100): PastChange => ({
  type: 'past-rows',
  to: { list },
  rows,
  rowMax,
});
const past = (id: string, expireSec = 3_600): PastChange => ({
  type: 'past-job',
  record: finishOf(id).record,
  expireSec,
});
const staged = (pieces: number): Change => ({ type: 'staged', stage: 's1', pieces });
const note = (epoch: number): Change => ({ type: 'activity', entry: { action: 'note', epoch }, rowMax: 100 });

function describeStages(subject: Run): void {
  test(
    'it is not seen before the commit, and then all of it, in order, behind what was there',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await store.commit(session, [...dispatchOf(jobOf('j1')), finishOf('j1')]);
      const chars = await store.stage(session, 's1', 0, [
        rowsTo('history', [row('j3'), row('j4')]),
        past('j3'),
      ]);
      expect(chars).toBeGreaterThan(JSON.stringify([row('j3'), row('j4')]).length);
      await store.stage(session, 's1', 1, [
        rowsTo('history', [row('j5')]),
        { type: 'past-rows', to: { list: 'event', event: 'e1' }, rows: [row('j3')], rowMax: 100 },
        rowsTo('activity', [{ action: 'Ünïcode \ud800 \u2028 "x"', epoch: 4, deep: { a: [] } }]),
        rowsTo('deliveries', [{ id: 'd1', epoch: 3 }]),
      ]);
      expect((await store.readHistory(undefined, 0, 10)).rows.map(({ id }) => id)).toEqual(['j1']);
      expect(await store.readJob('j3')).toBeUndefined();
      await store.commit(session, [staged(2), note(9)]);
      expect((await store.readHistory(undefined, 0, 10)).rows.map(({ id }) => id)).toEqual([
        'j1',
        'j3',
        'j4',
        'j5',
      ]);
      expect((await store.readHistory('e1', 0, 10)).rows.map(({ id }) => id)).toEqual(['j1', 'j3']);
      expect(await store.readActivity(0, 10)).toEqual({
        rows: [
          { action: 'note', epoch: 9 },
          { action: 'Ünïcode \ud800 \u2028 "x"', epoch: 4, deep: { a: [] } },
        ],
        length: 2,
      });
      expect((await store.readDeliveries(0, 10)).rows).toEqual([{ id: 'd1', epoch: 3 }]);
      expect(await store.readJob('j3')).toEqual(finishOf('j3').record);
    }),
  );

  test(
    'a repeated piece replaces itself, an empty one is none in the way, and lists keep their length',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await store.stage(session, 's1', 0, [rowsTo('history', [row('j1')])]);
      await store.stage(session, 's1', 0, [rowsTo('history', [row('j1'), row('j2'), row('j3')], 2)]);
      await store.stage(session, 's1', 1, []);
      cluster.loseNextReply();
      await store.commit(session, [staged(2)]);
      expect((await store.readHistory(undefined, 0, 10)).rows.map(({ id }) => id)).toEqual(['j1', 'j2']);
    }),
  );

  test(
    'a record that is there stays',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await store.commit(session, [...dispatchOf(jobOf('j1')), finishOf('j1', { code: 7 })]);
      await store.commit(session, [past('j1')]);
      expect(await store.readJob('j1')).toMatchObject({ code: 7 });
    }),
  );

  test(
    'when a piece is missing nothing of the commit is written',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await store.stage(session, 's1', 0, [rowsTo('history', [row('j1')])]);
      await expect(store.commit(session, [staged(2), note(1)])).rejects.toThrow();
      await expect(store.commit(session, [note(2)])).rejects.toThrow();
      expect((await store.readHistory(undefined, 0, 10)).length).toBe(0);
      expect((await store.readActivity(0, 10)).length).toBe(0);
    }),
  );

  test(
    'what was forgotten is missing',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await store.stage(session, 's1', 0, [rowsTo('history', [row('j1')])]);
      await store.unstage('s1');
      await expect(store.commit(session, [staged(1)])).rejects.toThrow();
    }),
  );

  test(
    'another term puts nothing aside',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      const next = await openStore(cluster);
      await expect(store.stage(session, 's1', 0, [past('j1')])).rejects.toThrow(/Term/);
      await expect(next.store.commit(next.session, [staged(1)])).rejects.toThrow();
    }),
  );

  test(
    'totals that were set are those of memory',
    subject(async (cluster) => {
      const { store, session, state } = await openStore(cluster);
      const totals = {
        jobs_completed: 5,
        jobs_failed: 2,
        jobs_elapsed: 1.25,
        jobs_log_size: 10,
        emails_sent: 1,
      };
      const change: Change = { type: 'totals', day: '2026-03-04', totals };
      state.applyChange(change);
      await store.commit(session, [change]);
      const loaded = await store.load(session);
      expect(loaded.stats).toEqual({ day: '2026-03-04', totals });
      expect(describeState(loaded)).toEqual(describeState(state));
    }),
  );
}

function describeCopies(subject: Run): void {
  test(
    'a copy is as the lists are after all earlier commits, whatever comes later',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      const copy: Change = { type: 'copy-lists', copy: 'c1', events: ['e1', 'e2'] };
      const commits = [
        store.commit(session, [...dispatchOf(jobOf('j1')), finishOf('j1'), note(1)]),
        store.commit(session, [...dispatchOf(jobOf('j2')), finishOf('j2')]),
        store.commit(session, [copy, note(2)]),
        store.commit(session, [...dispatchOf(jobOf('j3')), finishOf('j3', { rowMax: 1 }), note(3)]),
      ];
      await Promise.all(commits);
      const ids = (page: { rows: object[] }) => page.rows.map((one) => Reflect.get(one, 'id'));
      expect(ids(await store.readCopy('c1', { list: 'history' }, 0, 10))).toEqual(['j2', 'j1']);
      expect(ids(await store.readCopy('c1', { list: 'event', event: 'e1' }, 1, 10))).toEqual(['j1']);
      expect(await store.readCopy('c1', { list: 'event', event: 'e2' }, 0, 10)).toEqual({
        rows: [],
        length: 0,
      });
      expect(await store.readCopy('c1', { list: 'activity' }, 0, 10)).toEqual({
        rows: [{ action: 'note', epoch: 1 }],
        length: 1,
      });
      expect(await store.readCopy('c2', { list: 'history' }, 0, 10)).toEqual({ rows: [], length: 0 });
      expect(ids(await store.readHistory(undefined, 0, 10))).toEqual(['j3']);
    }),
  );
}
