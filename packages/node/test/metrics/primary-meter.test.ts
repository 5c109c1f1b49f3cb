import type { JobFields } from '@carillon/contract';
import { type ActiveJob, type Change, ClusterState, type Session } from '@carillon/core';
import { beforeEach, expect, test } from '@jest/globals';
import { exposition } from '../../src/metrics/exposition.js';
import { PrimaryMeter } from '../../src/metrics/primary-meter.js';
import { parseExposition } from './parse-exposition.js';

const dueSec = 1_700_000_040;
const session: Session = { term: 1, signal: new AbortController().signal };

let nowMs: number;
let meter: PrimaryMeter;

beforeEach(() => {
  nowMs = dueSec * 1000;
  meter = new PrimaryMeter({ nowMs: () => nowMs });
  meter.onTerm(session, new ClusterState());
});

const job = (id: string, more: Partial<JobFields> = {}): ActiveJob => ({
  state: 'dispatched',
  attempt: 1,
  seq: 1,
  node: 'n1',
  fields: { id, event: 'e1', category: 'general', now: dueSec, ...more } as JobFields,
});

const finish = (fields: JobFields): Change => ({
  type: 'finish',
  record: fields,
  row: { code: 0, elapsed: 0, log_file_size: 0 } as Extract<Change, { type: 'finish' }>['row'],
  expireSec: 1,
  rowMax: 1,
  day: '2023-11-14',
});

function value(series: string): number | undefined {
  for (const { samples } of parseExposition(exposition(meter.families())).values()) {
    if (samples.has(series)) return samples.get(series);
  }
  return undefined;
}

test('a launch is counted once, by its cause, however often the job is stored again', () => {
  const scheduled = job('j1');
  meter.onCommit([{ type: 'job', job: scheduled }], 2);
  meter.onCommit([{ type: 'job', job: { ...scheduled, state: 'waiting', attempt: 2 } }], 2);
  meter.onCommit([{ type: 'job', job: job('j2', { source: 'Manual (x)' }) }], 2);
  meter.onCommit([{ type: 'job', job: job('j3', { source: 'API Key (x)', api_key: 'k' }) }], 2);
  meter.onCommit([{ type: 'job', job: job('j4', { source: 'Chain Reaction (x)', source_event: 'e' }) }], 2);
  for (const cause of ['schedule', 'user', 'api_key', 'chain']) {
    expect([cause, value(`carillon_launches_total{cause="${cause}"}`)]).toEqual([cause, 1]);
  }
  expect(value('carillon_commits_total')).toBe(5);
  expect(value('carillon_commit_duration_seconds_bucket{le="0.0025"}')).toBe(5);
});

test('jobs of earlier terms are no launches of this one', () => {
  const state = new ClusterState();
  state.applyChange({ type: 'job', job: job('j1') });
  meter.onTerm(session, state);
  meter.onCommit([{ type: 'job', job: job('j1') }], 1);
  expect(value('carillon_launches_total{cause="schedule"}')).toBe(0);
  expect(value('carillon_terms_total')).toBe(2);
});

test('lateness of launch and start are counted from the minute, for scheduled jobs only', () => {
  nowMs += 700;
  meter.onCommit(
    [
      { type: 'job', job: job('j1') },
      { type: 'job', job: job('j2', { source: 'Manual (x)' }) },
    ],
    1,
  );
  meter.onStarted(job('j1', { time_start: dueSec + 4 }));
  meter.onStarted(job('j2', { source: 'Manual (x)', time_start: dueSec + 4 }));
  expect(value('carillon_launch_lateness_seconds_sum')).toBeCloseTo(0.7);
  expect(value('carillon_launch_lateness_seconds_count')).toBe(1);
  expect(value('carillon_start_lateness_seconds_sum')).toBe(4);
  expect(value('carillon_start_lateness_seconds_count')).toBe(1);
  expect(value('carillon_job_starts_total')).toBe(2);
});

test('a job whose end is heard of before its start has started once', () => {
  const fields = job('j1', { time_start: dueSec + 2, pid: 5 }).fields;
  meter.onCommit([{ type: 'job', job: job('j1') }], 1);
  meter.onCommit([finish(fields)], 1);
  expect(value('carillon_job_starts_total')).toBe(1);
  expect(value('carillon_start_lateness_seconds_sum')).toBe(2);
});

test('a job that never ran has not started', () => {
  meter.onCommit([{ type: 'job', job: job('j1') }], 1);
  meter.onCommit([finish(job('j1', { time_start: dueSec }).fields)], 1);
  expect(value('carillon_job_starts_total')).toBe(0);
});

test('ends are counted by kind and by outcome, deliveries by type and outcome', () => {
  meter.onEnded(job('j1', { code: 0, elapsed: 1.5 }).fields, 'exit');
  meter.onEnded(job('j2', { code: 1, elapsed: 1 }).fields, 'exit');
  meter.onEnded(job('j3', { code: 1 }).fields, 'timeout');
  meter.onRetry();
  meter.onCommitFailed();
  const row = {
    id: 'd',
    action: 'x',
    event: 'e',
    target: 't',
    attempts: 1,
    description: '',
    epoch: 1,
    elapsed: 1,
  };
  meter.onCommit(
    [{ type: 'delivered', id: 'd', row: { ...row, type: 'mail', code: 'refused' }, rowMax: 1 }],
    1,
  );
  expect(value('carillon_jobs_ended_total{ending="exit",outcome="success"}')).toBe(1);
  expect(value('carillon_jobs_ended_total{ending="exit",outcome="failure"}')).toBe(1);
  expect(value('carillon_jobs_ended_total{ending="timeout",outcome="failure"}')).toBe(1);
  expect(value('carillon_jobs_ended_total{ending="lost",outcome="failure"}')).toBe(0);
  expect(value('carillon_job_run_seconds_total')).toBe(2.5);
  expect(value('carillon_job_retries_total')).toBe(1);
  expect(value('carillon_commit_failures_total')).toBe(1);
  expect(value('carillon_deliveries_total{type="mail",outcome="failure"}')).toBe(1);
  expect(value('carillon_deliveries_total{type="hook",outcome="success"}')).toBe(0);
});
