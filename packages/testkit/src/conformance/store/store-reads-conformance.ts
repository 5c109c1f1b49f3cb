import { expect, test } from '@jest/globals';
import { deliveryOf, deliveryRowOf, finishOf, jobOf } from './state-builders.js';
import { openStore, type withSubject } from './store-subject.js';

/** The part of the store's conformance that reads what is not in the memory of the primary. */
export function describeReads(subject: ReturnType<typeof withSubject>): void {
  test(
    'the history of one event and of all events is paged newest first, kept to its length',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      for (let index = 1; index <= 7; index += 1) {
        const id = `j${index}`;
        const event = index % 2 === 0 ? 'e2' : 'e1';
        await store.commit(session, [{ type: 'job', job: jobOf(id) }, finishOf(id, { rowMax: 5, event })]);
      }
      const ids = async (event: string | undefined, offset: number, limit: number) => {
        const page = await store.readHistory(event, offset, limit);
        return [page.rows.map((row) => row.id), page.length];
      };
      expect(await ids(undefined, 0, 3)).toEqual([['j7', 'j6', 'j5'], 5]);
      expect(await ids(undefined, 3, 3)).toEqual([['j4', 'j3'], 5]);
      expect(await ids(undefined, 5, 3)).toEqual([[], 5]);
      expect(await ids('e2', 0, 10)).toEqual([['j6', 'j4', 'j2'], 3]);
      expect(await ids('e1', 1, 1)).toEqual([['j5'], 4]);
      expect(await ids('none', 0, 10)).toEqual([[], 0]);
    }),
  );

  test(
    'a completed job and its row are read as they were written',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      const finish = finishOf('j1', { code: 3 });
      await store.commit(session, [{ type: 'job', job: jobOf('j1') }, finish]);
      expect(await store.readJob('j1')).toEqual(finish.record);
      expect(await store.readJob('j2')).toBeUndefined();
      expect((await store.readHistory('e1', 0, 1)).rows).toEqual([finish.row]);
    }),
  );

  test(
    'a forgotten event has no history, the common history stays',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await store.commit(session, [
        { type: 'job', job: jobOf('j1') },
        finishOf('j1'),
        { type: 'cursor', event: 'e1', minute: 60 },
        { type: 'redo', event: 'e1', minutes: [60, 180] },
        { type: 'robin', event: 'e1', index: 2 },
      ]);
      await store.commit(session, [{ type: 'forget-event', event: 'e1' }]);
      expect((await store.readHistory('e1', 0, 10)).length).toBe(0);
      expect((await store.readHistory(undefined, 0, 10)).length).toBe(1);
      const { state } = await openStore(cluster);
      expect([state.cursors.size, state.redos.size, state.robins.size]).toEqual([0, 0, 0]);
    }),
  );

  test(
    'a forgotten job leaves no trace',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await store.commit(session, [{ type: 'job', job: jobOf('j1', { state: 'queued', node: '' }) }]);
      await store.commit(session, [{ type: 'forget-job', id: 'j1' }]);
      expect(await store.readJob('j1')).toBeUndefined();
      expect((await store.readHistory(undefined, 0, 10)).length).toBe(0);
      expect((await openStore(cluster)).state.jobs.size).toBe(0);
    }),
  );

  test(
    'totals are those of the latest day',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      for (const [id, day, code] of [
        ['j1', '2026-01-01', 0],
        ['j2', '2026-01-02', 0],
        ['j3', '2026-01-02', 1],
      ] as const) {
        await store.commit(session, [{ type: 'job', job: jobOf(id) }, finishOf(id, { day, code })]);
      }
      expect((await openStore(cluster)).state.stats).toEqual({
        day: '2026-01-02',
        totals: { jobs_completed: 2, jobs_failed: 1, jobs_elapsed: 3, jobs_log_size: 20, emails_sent: 0 },
      });
    }),
  );

  test(
    'the activity log is paged newest first, kept to its length',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      for (let epoch = 1; epoch <= 5; epoch += 1) {
        await store.commit(session, [{ type: 'activity', entry: { action: 'warning', epoch }, rowMax: 3 }]);
      }
      expect(await store.readActivity(0, 2)).toEqual({
        rows: [
          { action: 'warning', epoch: 5 },
          { action: 'warning', epoch: 4 },
        ],
        length: 3,
      });
      expect((await store.readActivity(2, 2)).rows).toEqual([{ action: 'warning', epoch: 3 }]);
    }),
  );

  test(
    'totals are raised by themselves, and begin anew with a day',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      const totals = async () => (await openStore(cluster)).state.stats;
      await store.commit(session, [
        { type: 'count', day: '2026-01-01', counter: 'emails_sent', by: 2 },
        { type: 'count', day: '2026-01-01', counter: 'jobs_failed', by: 1 },
        { type: 'count', day: '2026-01-01', counter: 'emails_sent', by: 3 },
      ]);
      expect(await totals()).toMatchObject({ day: '2026-01-01', totals: { emails_sent: 5, jobs_failed: 1 } });
      const next = await openStore(cluster);
      await next.store.commit(next.session, [
        { type: 'count', day: '2026-01-02', counter: 'emails_sent', by: 1 },
      ]);
      expect(await totals()).toMatchObject({ day: '2026-01-02', totals: { emails_sent: 1, jobs_failed: 0 } });
    }),
  );

  test(
    'a delivery waits in the outbox until it is over, oldest first, and has one record',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      await store.commit(session, [
        { type: 'delivery', delivery: deliveryOf('d2', 2) },
        { type: 'delivery', delivery: deliveryOf('d1', 1) },
      ]);
      const second = await openStore(cluster);
      expect([...second.state.deliveries.values()]).toEqual([deliveryOf('d1', 1), deliveryOf('d2', 2)]);
      expect((await second.store.readDeliveries(0, 10)).length).toBe(0);
      const over = { type: 'delivered', id: 'd1', row: deliveryRowOf('d1', 500), rowMax: 10 } as const;
      await second.store.commit(second.session, [over]);
      await second.store.commit(second.session, [over, { ...over, id: 'd9' }]);
      expect(await second.store.readDeliveries(0, 10)).toEqual({
        rows: [deliveryRowOf('d1', 500)],
        length: 1,
      });
      expect([...(await openStore(cluster)).state.deliveries.keys()]).toEqual(['d2']);
    }),
  );

  test(
    'records of deliveries are paged newest first, kept to their length',
    subject(async (cluster) => {
      const { store, session } = await openStore(cluster);
      for (const id of ['d1', 'd2', 'd3', 'd4']) {
        await store.commit(session, [
          { type: 'delivery', delivery: deliveryOf(id) },
          { type: 'delivered', id, row: deliveryRowOf(id), rowMax: 3 },
        ]);
      }
      expect(await store.readDeliveries(1, 5)).toEqual({
        rows: [deliveryRowOf('d3'), deliveryRowOf('d2')],
        length: 3,
      });
    }),
  );

  test(
    'health is told by a write that really happens',
    subject(async (cluster) => {
      const store = cluster.store();
      await store.checkHealth();
      await cluster.cut();
      await expect(store.checkHealth()).rejects.toThrow();
      await cluster.mend();
    }),
  );
}
