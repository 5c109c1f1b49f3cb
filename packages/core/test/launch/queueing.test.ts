import { describe, expect, test } from '@jest/globals';
import { type ActiveJob, launchChanges, planDrain, planLaunch } from '@carillon/core';
import { aJob, anEvent, apply, aPlugin, aState } from '../support/builders.js';
import { jobsOf, nowMs, plan, put, type Setting, snapshotOf } from '../support/launching.js';

describe('queueing (behaviour reference 5.5)', () => {
  const queue = { queue: 1, max_children: 1 } as const;
  const busy = put(aJob('j1'));
  const queued = (id: string, seq: number): ActiveJob =>
    aJob(id, { queue: 1, hostname: '' }, { state: 'queued', seq, node: '' });

  test('a job that must wait has its id and its settings at once', () => {
    const result = plan({
      event: queue,
      changes: [busy],
      request: { overrides: { timeout: 9, custom: 1 }, source: 'x' },
    });
    expect(result).toMatchObject({
      kind: 'queue',
      length: 1,
      job: { state: 'queued', seq: 100, node: '', attempt: 1 },
    });
    const [job] = jobsOf(result);
    expect(job?.fields).toMatchObject({
      id: 'jnew1',
      hostname: '',
      timeout: 9,
      custom: 1,
      source: 'x',
      nice_target: 'Web Servers',
    });
    expect(job?.fields).not.toHaveProperty('time_start');
    expect(launchChanges('e1', result)).toEqual([{ type: 'job', job }]);
  });

  test.each<[string, Setting]>([
    ['busy', { changes: [busy] }],
    ['without servers', { members: [] }],
    ['disabled', { changes: [{ type: 'put', table: 'plugins', seq: 1, record: aPlugin({ enabled: 0 }) }] }],
    ['without a known target', { event: { ...queue, target: 'gone' } }],
  ])('%s: it waits', (_name, setting) => {
    expect(plan({ event: queue, ...setting }).kind).toBe('queue');
  });
  test('without a plugin it is refused', () => {
    expect(plan({ event: { ...queue, plugin: 'p9' } })).toMatchObject({ kind: 'refuse', cause: 'missing' });
  });

  test('the queue has an end', () => {
    const changes = [busy, put(queued('j2', 2)), put(queued('j3', 3))];
    expect(plan({ event: { ...queue, queue_max: 3 }, changes })).toMatchObject({ kind: 'queue', length: 3 });
    expect(plan({ event: { ...queue, queue_max: 2 }, changes })).toEqual({
      kind: 'refuse',
      reason: 'Job could not be queued: Event queue reached max of 2 items',
      cause: 'queue-full',
    });
  });

  test('nobody overtakes', () => {
    expect(plan({ event: queue, changes: [put(queued('j2', 2))] })).toMatchObject({
      kind: 'queue',
      length: 2,
    });
    const second = { queued: queued('j3', 3), now: 60 };
    const changes = [put(queued('j2', 2)), put(second.queued)];
    expect(plan({ event: queue, changes, request: second })).toMatchObject({
      kind: 'queue',
      job: second.queued,
    });
    expect(plan({ event: queue, changes, request: { queued: queued('j2', 2) } }).kind).toBe('launch');
  });

  test('a queued job is launched under its id, with its settings and its place', () => {
    const state = aState([anEvent({ ...queue, timeout: 1, username: 'ann' })], [busy]);
    const overrides = { timeout: 9, custom: 1, max_children: 1, title: 'Mine', params: { script: 'x' } };
    const request = { event: 'e1', overrides, now: 77, source: 'S', api_key: 'k1' };
    const first = planLaunch(request, snapshotOf(state));
    apply(state, launchChanges('e1', first));
    const [head] = planDrain(state);
    if (head === undefined) throw new Error('nothing queued');
    state.applyChange({
      type: 'put',
      table: 'events',
      seq: 1,
      record: anEvent({ ...queue, max_children: 9, timeout: 5 }),
    });
    state.applyChange({
      type: 'put',
      table: 'plugins',
      seq: 1,
      record: aPlugin({ command: 'new', cwd: '/new' }),
    });
    const again = { event: 'e1', overrides: {}, now: head.fields.now, queued: head };
    expect(planLaunch(again, snapshotOf(state)).kind).toBe('queue');
    state.applyChange({ type: 'forget-job', id: 'j1' });
    const [job] = jobsOf(planLaunch(again, { ...snapshotOf(state), nextSeq: 500 }));
    expect(job).toMatchObject({ state: 'dispatched', seq: head.seq, node: 'web1' });
    expect(job?.fields).toMatchObject({
      id: head.fields.id,
      timeout: 9,
      custom: 1,
      event_title: 'Mine',
      now: 77,
      source: 'S',
      api_key: 'k1',
      command: 'new',
      cwd: '/new',
      params: { script: 'x' },
      time_start: nowMs / 1000,
    });
    expect(job?.fields).not.toHaveProperty('username');
  });

  test('a multiplexed job from the queue gives its id to the first of the set', () => {
    const head = queued('j2', 2);
    head.fields['multiplex'] = 1;
    const jobs = jobsOf(plan({ event: queue, changes: [put(head)], request: { queued: head } }));
    expect(jobs.map((job) => [job.fields.id, job.seq])).toEqual([
      ['j2', 2],
      ['jnew1', 101],
      ['jnew2', 102],
    ]);
  });

  test('planDrain: the first of each queue, without those that are to be aborted', () => {
    const abort = { reason: 'x', kind: 'manual' as const };
    const state = aState(
      [anEvent(queue), anEvent({ ...queue, id: 'e2' })],
      [
        put(aJob('a', {}, { state: 'queued', node: '', seq: 5, abort })),
        put(aJob('b', {}, { state: 'queued', node: '', seq: 7 })),
        put(aJob('c', {}, { state: 'queued', node: '', seq: 6 })),
        put(aJob('d', { event: 'e2' }, { state: 'queued', node: '', seq: 2 })),
        put(aJob('e', { event: 'e2' }, { state: 'running', seq: 1 })),
      ],
    );
    expect(planDrain(state).map((job) => job.fields.id)).toEqual(['d', 'c']);
    expect(planDrain(state, 'e1').map((job) => job.fields.id)).toEqual(['c']);
    expect(planDrain(state, 'e3')).toEqual([]);
  });
});
