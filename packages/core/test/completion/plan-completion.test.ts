import { describe, expect, test } from '@jest/globals';
import type { HistoryRow, JobFields, JobResult } from '@carillon/contract';
import {
  type ActiveJob,
  type Change,
  type CompletionContext,
  lostOutcome,
  normaliseCode,
  planCompletion,
  planUnrunEnd,
} from '../../src/index.js';

const fields: JobFields = {
  id: 'j1',
  event: 'e1',
  event_title: 'Backup',
  category: 'general',
  category_title: 'General',
  plugin: 'shellplug',
  plugin_title: 'Shell Script',
  nice_target: 'All Servers',
  target: 'allgrp',
  hostname: 'web1',
  params: { script: 'true' },
  command: 'builtin:shell',
  now: 1_700_000_000,
  time_start: 1_700_000_000.5,
  when: 1_700_000_001,
};
const job: ActiveJob = { state: 'running', attempt: 2, seq: 1, node: 'n1', boot: 'b1', fields };
const context: CompletionContext = {
  nowMs: 1_700_000_010_000,
  day: '2023-11-14',
  expireDays: 180,
  rowMax: 100,
};
const result: JobResult = {
  job: 'j1',
  attempt: 2,
  node: 'n1',
  hostname: 'web1',
  time_start: 1_700_000_001.25,
  time_end: 1_700_000_003.5,
  pid: 42,
  outcome: { code: 0, description: 'Done' },
  log_file_size: 12,
  cpu: { min: 1, max: 3, total: 4, count: 2, current: 3 },
  reported: { perf: 'a=1', label: 'nightly', evil: 'ignored', complete: 1 },
};

function finish(changes: readonly Change[]): { record: JobFields; row: HistoryRow; expireSec: number } {
  const change = changes.find((candidate) => candidate.type === 'finish');
  if (change?.type !== 'finish') throw new Error('no finish change');
  return change;
}

describe('planCompletion', () => {
  test('a success becomes a record and a row without description or activity', () => {
    const changes = planCompletion(job, result, context);
    expect(changes).toHaveLength(1);
    const { record, row, expireSec } = finish(changes);
    expect(record).toMatchObject({
      id: 'j1',
      complete: 1,
      code: 0,
      description: 'Done',
      time_start: 1_700_000_001.25,
      time_end: 1_700_000_003.5,
      elapsed: 2.25,
      pid: 42,
      perf: 'a=1',
      label: 'nightly',
      log_file_size: 12,
    });
    expect(record).not.toHaveProperty('evil');
    expect(record).not.toHaveProperty('when');
    expect(row).toEqual({
      id: 'j1',
      code: 0,
      event: 'e1',
      event_title: 'Backup',
      category: 'general',
      category_title: 'General',
      plugin: 'shellplug',
      plugin_title: 'Shell Script',
      hostname: 'web1',
      target: 'allgrp',
      time_start: 1_700_000_001.25,
      elapsed: 2.25,
      perf: 'a=1',
      cpu: { min: 1, max: 3, total: 4, count: 2, current: 3 },
      mem: {},
      log_file_size: 12,
      label: 'nightly',
      action: 'job_complete',
      epoch: 1_700_000_010,
    });
    expect(expireSec).toBe(180 * 86_400);
  });

  test('a failure also goes to the activity log, with its description in the row', () => {
    const changes = planCompletion(job, { ...result, outcome: { code: 7, description: 'Broke' } }, context);
    expect(changes.map((change) => change.type)).toEqual(['finish', 'activity']);
    expect(finish(changes).row).toMatchObject({ code: 7, description: 'Broke' });
  });

  test('the result of another attempt changes nothing', () => {
    expect(planCompletion(job, { ...result, attempt: 1 }, context)).toEqual([]);
    expect(planCompletion(job, { ...result, attempt: 3 }, context)).toEqual([]);
  });

  test('a recorded abort wins over a reported success', () => {
    const aborted: ActiveJob = { ...job, abort: { reason: 'Manually aborted by user: joe', kind: 'manual' } };
    expect(finish(planCompletion(aborted, result, context)).record).toMatchObject({
      code: 1,
      description: 'Job Aborted: Manually aborted by user: joe',
      abort_reason: 'Manually aborted by user: joe',
    });
  });

  test('an event may keep its jobs for another time', () => {
    const kept: ActiveJob = { ...job, fields: { ...fields, log_expire_days: 3 } };
    expect(finish(planCompletion(kept, result, context)).expireSec).toBe(3 * 86_400);
  });

  test('elapsed never goes below zero when clocks move', () => {
    const record = finish(planCompletion(job, { ...result, time_end: 1_600_000_000 }, context)).record;
    expect(record.elapsed).toBe(0);
  });
});

describe('planUnrunEnd', () => {
  test('a job lost with its worker ends now, failed, with the peer text', () => {
    const { record, row } = finish(planUnrunEnd(job, lostOutcome('web1'), context));
    expect(record).toMatchObject({
      complete: 1,
      code: 1,
      description: "Aborted Job: Server 'web1' shut down unexpectedly.",
      elapsed: 9.5,
    });
    expect(record).not.toHaveProperty('abort_reason');
    expect(row.code).toBe(1);
  });

  test('a job that waited for a later time has not run at all', () => {
    const waiting: ActiveJob = { ...job, state: 'waiting', fields: { ...fields, time_start: 1_700_009_999 } };
    const { record } = finish(planUnrunEnd(waiting, { code: 1, description: 'x' }, context));
    expect(record).toMatchObject({ time_start: 1_700_000_010, time_end: 1_700_000_010, elapsed: 0 });
  });
});

test.each([
  ['0', 0],
  [' 12 ', 12],
  ['-1', -1],
  ['SIGKILL', 'SIGKILL'],
  ['', ''],
  [3, 3],
] as const)('code %j is stored as %j', (given, stored) => {
  expect(normaliseCode(given)).toBe(stored);
});
