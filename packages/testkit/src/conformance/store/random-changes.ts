import type { JobState } from '@carillon/contract';
import type { ActiveJob, Change, ClusterState } from '@carillon/core';
import fc from 'fast-check';
import { deliveryOf, deliveryRowOf, eventOf, finishOf, jobOf } from './state-builders.js';

/** A step of a random history: small numbers that `changeFor` turns into a change which fits the state. */
export interface RandomStep {
  kind: number;
  id: number;
  value: number;
}

const states: ActiveJob['state'][] = ['queued', 'waiting', 'dispatched', 'running', 'silent', 'settled'];
const eventIds = ['e1', 'e2', 'e3', '__proto__', 'constructor'];

/** Commits of a random history. */
export const randomCommits = fc.array(
  fc.array(fc.record({ kind: fc.nat(15), id: fc.nat(4), value: fc.nat(9) }), { maxLength: 6 }),
  { maxLength: 25 },
);

/** The change of a step, given the state it will be applied to; undefined when there is none. */
export function changeFor(state: ClusterState, { kind, id, value }: RandomStep): Change | undefined {
  const event = eventIds[id] ?? 'e1';
  const job = `j${id}`;
  switch (kind) {
    case 0:
      return {
        type: 'put',
        table: 'events',
        seq: state.events.entry(event)?.seq ?? state.events.nextSeq,
        record: eventOf(event, {
          title: `Ünïcode ${value}\n\u2028 "quoted"`,
          notes: 'x'.repeat(value * 200),
        }),
      };
    case 1:
      return { type: 'delete', table: 'events', id: event };
    case 2:
      return putOther(state, event, value);
    case 3:
      return { type: 'switch', enabled: value > 4 ? 1 : 0 };
    case 4:
      return { type: 'tick', minute: 1_700_000_040 + 60 * value };
    case 5:
      return { type: 'cursor', event, minute: value === 0 ? null : 60 * value };
    case 6:
      return { type: 'robin', event, index: value };
    case 14:
      return { type: 'redo', event, minutes: Array.from({ length: value % 3 }, (_, n) => 60 * (value + n)) };
    case 7:
    case 8:
      return { type: 'job', job: randomJob(state, job, value) };
    case 9:
      return { type: 'dispatch', run: { job, attempt: 1 + (value % 3) }, node: `n${value}` };
    case 10:
      if (!state.jobs.has(job)) return undefined;
      return finishOf(job, { code: value % 2, elapsed: value / 8, rowMax: 3 });
    case 11:
      return { type: 'delivery', delivery: deliveryOf(`d${id}`, value) };
    case 12:
      return { type: 'delivered', id: `d${id}`, row: deliveryRowOf(`d${id}`, value), rowMax: 3 };
    case 13:
      return randomCount(value);
    default:
      return rarer(event, job, value);
  }
}

function randomCount(value: number): Change {
  const counter = value % 2 === 0 ? 'emails_sent' : 'jobs_failed';
  return { type: 'count', day: '2026-01-01', counter, by: value };
}

function putOther(state: ClusterState, id: string, value: number): Change {
  if (value % 3 === 1) return putUser(state, id, value);
  if (value % 3 === 2) return putSession(state, id, value);
  const seq = state.servers.entry(id)?.seq ?? state.servers.nextSeq;
  const record = {
    id,
    hostname: `h${value}`,
    ip: '::1',
    groups: [],
    master: 0,
    slots: value,
    created: 1,
  } as const;
  return { type: 'put', table: 'servers', seq, record: { ...record, groups: [] } };
}

function putUser(state: ClusterState, id: string, value: number): Change {
  const seq = state.users.entry(id)?.seq ?? state.users.nextSeq;
  const names = { id, username: id, full_name: `Ünï ${value}`, email: 'a@example.com' };
  const record = { ...names, active: 1 as const, privileges: { admin: value }, password: 'x', salt: '' };
  return { type: 'put', table: 'users', seq, record: { ...record, created: 1, modified: value } };
}

function putSession(state: ClusterState, id: string, value: number): Change {
  if (value === 8) return { type: 'delete', table: 'sessions', id };
  const seq = state.sessions.entry(id)?.seq ?? state.sessions.nextSeq;
  const record = { id, user: 'u', username: 'u', ip: '::1', useragent: 'x', created: 1, expires: value };
  return { type: 'put', table: 'sessions', seq, record };
}

function randomJob(state: ClusterState, id: string, value: number): ActiveJob {
  const known = state.jobs.get(id);
  const largest = Math.max(0, ...[...state.jobs.values()].map((job) => job.seq));
  const jobState = states[value % states.length] ?? 'queued';
  const settings: Partial<ActiveJob> = {
    state: jobState satisfies JobState,
    attempt: 1 + (value % 3),
    seq: known?.seq ?? largest + 1,
    node: jobState === 'queued' ? '' : `n${value}`,
    ...(value % 2 === 0 ? { dueMs: value } : {}),
    ...(value % 5 === 0 ? { abort: { reason: 'because', kind: 'manual' as const } } : {}),
  };
  return jobOf(id, settings);
}

function rarer(event: string, job: string, value: number): Change {
  if (value < 3) return { type: 'forget-job', id: job };
  if (value < 6) return { type: 'forget-event', event };
  return { type: 'activity', entry: { action: 'warning', epoch: value }, rowMax: 2 };
}
