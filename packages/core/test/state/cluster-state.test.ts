import { describe, expect, test } from '@jest/globals';
import { type ActiveJob, type Change, ClusterState, viewActiveJob } from '@carillon/core';
import fc from 'fast-check';
import { aJob, anEvent, apply } from '../support/builders.js';

const key = (id: string, hash: string): Change => ({
  type: 'put',
  table: 'api_keys',
  seq: Number(id.slice(1)),
  record: { id, title: id, key_hash: hash, active: 1, privileges: {}, created: 1, modified: 1 },
});

const eventIds = ['e1', 'e2', 'e3'];
const jobIds = ['j1', 'j2', 'j3', 'j4', 'j5'];
/** An event of its own and a category of its own for each job: they never change. */
const eventOf = (id: string): string => `e${(Number(id.slice(1)) % 3) + 1}`;
const categoryOf = (id: string): string => (Number(id.slice(1)) % 2 === 0 ? 'even' : 'odd');

const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ id: fc.constantFrom(...eventIds), title: fc.constantFrom('A', 'B', '__proto__') }).map(
    ({ id, title }): Change => ({
      type: 'put',
      table: 'events',
      seq: Number(id.slice(1)),
      record: anEvent({ id, title }),
    }),
  ),
  fc.constantFrom(...eventIds).map((id): Change => ({ type: 'delete', table: 'events', id })),
  fc.tuple(fc.constantFrom('k1', 'k2'), fc.nat(5)).map(([id, number]) => key(id, `${id}-${number}`)),
  fc.constantFrom('k1', 'k2').map((id): Change => ({ type: 'delete', table: 'api_keys', id })),
  fc
    .record({
      id: fc.constantFrom(...jobIds),
      state: fc.constantFrom<ActiveJob['state']>('queued', 'waiting', 'running'),
      node: fc.constantFrom('', 'web1', 'n2'),
    })
    .map(
      ({ id, state, node }): Change => ({
        type: 'job',
        job: aJob(id, { event: eventOf(id), category: categoryOf(id) }, { state, node }),
      }),
    ),
  fc.constantFrom(...jobIds).map((id): Change => ({ type: 'forget-job', id })),
  fc
    .constantFrom(...jobIds)
    .map((job): Change => ({ type: 'dispatch', run: { job, attempt: 2 }, node: 'n2' })),
);

describe('ClusterState', () => {
  test('its indexes agree with its tables after any changes', () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 60 }), (list) => {
        const state = new ClusterState();
        let order: string[] = [];
        for (const change of list) {
          state.applyChange(change);
          if (change.type === 'job' && !order.includes(change.job.fields.id))
            order.push(change.job.fields.id);
          if (change.type === 'forget-job') order = order.filter((id) => id !== change.id);
        }
        expect([...state.jobs.keys()]).toEqual(order);
        for (const event of eventIds) {
          expect(state.jobsOfEvent(event).map((job) => job.fields.id)).toEqual(
            order.filter((id) => eventOf(id) === event),
          );
        }
        for (const category of ['even', 'odd', 'constructor']) {
          expect(state.jobsOfCategory(category).map((job) => job.fields.id)).toEqual(
            order.filter((id) => categoryOf(id) === category),
          );
        }
        for (const node of ['', 'web1', 'n2', 'constructor']) {
          const held = [...state.jobs.values()].filter((job) => job.node === node);
          expect(new Set(state.jobsOfNode(node))).toEqual(new Set(held));
          expect(state.countJobsOfNode(node)).toBe(held.length);
        }
        for (const title of ['A', 'B', 'C', '__proto__', 'constructor']) {
          const newest = [...state.events.newestFirst()].find((event) => event.title === title);
          expect(state.eventByTitle(title)).toEqual(newest);
        }
        const keys = [...state.api_keys.newestFirst()];
        for (const id of ['k1', 'k2']) {
          for (let number = 0; number <= 5; number += 1) {
            const hash = `${id}-${number}`;
            expect(state.keyByHash(hash)).toEqual(keys.find((record) => record.key_hash === hash));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a dispatched job is at its attempt and node, no longer waiting or claimed', () => {
    const state = new ClusterState();
    apply(state, [
      { type: 'job', job: aJob('j1', {}, { state: 'waiting', dueMs: 5, boot: 'b' }) },
      { type: 'dispatch', run: { job: 'j1', attempt: 3 }, node: 'n7' },
      { type: 'dispatch', run: { job: 'unknown', attempt: 1 }, node: 'n7' },
    ]);
    const job = state.jobs.get('j1');
    expect(job).toMatchObject({ state: 'dispatched', attempt: 3, node: 'n7' });
    expect(job).not.toHaveProperty('dueMs');
    expect(job).not.toHaveProperty('boot');
    expect(state.jobs.size).toBe(1);
  });

  test('a finished job is gone and counted, per day', () => {
    const state = new ClusterState();
    const finish = (id: string, code: number, day: string): Change => {
      const job = aJob(id);
      const row = {
        id,
        code,
        event: 'e1',
        event_title: '',
        category: 'general',
        category_title: '',
        plugin: '',
        plugin_title: '',
        hostname: '',
        target: '',
        time_start: 1,
        elapsed: 2,
        perf: '',
        cpu: {},
        mem: {},
        log_file_size: 10,
        action: 'job_complete' as const,
        epoch: 3,
      };
      return { type: 'finish', record: job.fields, row, expireSec: 1, rowMax: 1, day };
    };
    apply(state, [{ type: 'job', job: aJob('j1') }, finish('j1', 0, 'd1'), finish('j2', 5, 'd1')]);
    expect(state.jobs.size).toBe(0);
    expect(state.jobsOfEvent('e1')).toEqual([]);
    const totals = { jobs_completed: 2, jobs_failed: 1, jobs_elapsed: 4, jobs_log_size: 20, emails_sent: 0 };
    expect(state.stats).toEqual({ day: 'd1', totals });
    state.applyChange(finish('j3', 0, 'd2'));
    expect(state.stats.totals.jobs_completed).toBe(1);
  });

  test('deliveries wait in the outbox in the order they came', () => {
    const state = new ClusterState();
    const delivery = (id: string): Change => {
      const options = { follow: 0, rejectUnauthorized: true, timeoutMs: 1 };
      const sent = { url: 'http://h/', headers: {}, body: '', options };
      return {
        type: 'delivery',
        delivery: { id, createdMs: 1, event: 'e1', type: 'hook', action: 'job_start', ...sent },
      };
    };
    const row = { type: 'hook' as const, action: 'job_start', event: 'e1', target: '', attempts: 1 };
    const ending = { code: 0, description: '', epoch: 1, elapsed: 0 };
    const over = (id: string): Change => ({
      type: 'delivered',
      id,
      row: { id, ...row, ...ending },
      rowMax: 1,
    });
    apply(state, [delivery('d2'), delivery('d1'), delivery('d3'), over('d1'), over('d9')]);
    expect([...state.deliveries.keys()]).toEqual(['d2', 'd3']);
  });

  test('totals are raised by themselves, for their own day', () => {
    const state = new ClusterState();
    apply(state, [
      { type: 'count', day: 'd1', counter: 'emails_sent', by: 2 },
      { type: 'count', day: 'd1', counter: 'jobs_failed', by: 1 },
    ]);
    expect(state.stats).toMatchObject({
      day: 'd1',
      totals: { emails_sent: 2, jobs_failed: 1, jobs_completed: 0 },
    });
    apply(state, [{ type: 'count', day: 'd2', counter: 'emails_sent', by: 1 }]);
    expect(state.stats).toMatchObject({ day: 'd2', totals: { emails_sent: 1, jobs_failed: 0 } });
  });

  test('what a worker reports counts for the present attempt only', () => {
    const state = new ClusterState();
    state.applyChange({ type: 'job', job: aJob('j1', {}, { attempt: 2, state: 'dispatched' }) });
    expect(state.applyReport({ job: 'j1', attempt: 1, pid: 5 }, 'b')).toBeUndefined();
    expect(state.applyReport({ job: 'j9', attempt: 1 }, 'b')).toBeUndefined();
    expect(state.applyReport({ job: 'j1', attempt: 2, pid: 5 }, 'b')).toMatchObject({
      state: 'running',
      boot: 'b',
    });
    expect(state.jobs.get('j1')?.fields.pid).toBe(5);
    state.markSilent('j1', true);
    expect(state.jobs.get('j1')?.state).toBe('silent');
    state.markSilent('j1', false);
    expect(state.jobs.get('j1')?.state).toBe('running');
  });

  test('switch, tick, cursors and robins', () => {
    const state = new ClusterState();
    apply(state, [
      { type: 'switch', enabled: 0 },
      { type: 'tick', minute: 60 },
      { type: 'cursor', event: 'e1', minute: 120 },
      { type: 'cursor', event: 'e2', minute: 120 },
      { type: 'cursor', event: 'e2', minute: null },
      { type: 'redo', event: 'e1', minutes: [60, 120] },
      { type: 'redo', event: 'e2', minutes: [60] },
      { type: 'redo', event: 'e2', minutes: [] },
      { type: 'robin', event: 'e1', index: 4 },
      { type: 'robin', event: 'e3', index: 1 },
      { type: 'forget-event', event: 'e3' },
    ]);
    expect([state.enabled, state.tickMinute]).toEqual([0, 60]);
    expect([...state.cursors]).toEqual([['e1', 120]]);
    expect([...state.redos]).toEqual([['e1', [60, 120]]]);
    expect([...state.robins]).toEqual([['e1', 4]]);
  });
});

test('the view of an active job tells its age, and when a waiting one starts', () => {
  expect(viewActiveJob(aJob('j1', { time_start: 10 }), 12_345)).toMatchObject({
    state: 'running',
    elapsed: 2.345,
  });
  expect(
    viewActiveJob(aJob('j1', { time_start: 20 }, { state: 'waiting', dueMs: 20_500 }), 12_000),
  ).toMatchObject({
    elapsed: 0,
    when: 20.5,
  });
  expect(viewActiveJob(aJob('j1'), 5)).not.toHaveProperty('elapsed');
});
