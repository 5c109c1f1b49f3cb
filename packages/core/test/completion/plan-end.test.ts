import { describe, expect, test } from '@jest/globals';
import type { AbortKind, HistoryRow, JobFields, JobOutcome, JobResult } from '@carillon/contract';
import {
  type ActiveJob,
  type CompletionContext,
  type EndPlan,
  endRules,
  type JobEnd,
  type JobEnding,
  normaliseCode,
  planEnd,
} from '@carillon/core';
import fc from 'fast-check';
import { aJob } from '../support/builders.js';

const fields: Partial<JobFields> = {
  event_title: 'Backup',
  now: 1_700_000_000,
  time_start: 1_700_000_000.5,
  when: 1_700_000_001,
};
const job = aJob('j1', fields, { attempt: 2, boot: 'b1' });
const withFields = (more: Partial<JobFields>, rest: Partial<ActiveJob> = {}): ActiveJob => ({
  ...job,
  ...rest,
  fields: { ...job.fields, ...more },
});
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
const failure: JobOutcome = { code: 7, description: 'Broke' };
const resulting = (more: Partial<JobResult> = {}): JobEnding => ({
  how: 'result',
  result: { ...result, ...more },
});
const abortedBy = (kind: AbortKind): JobEnding =>
  resulting({ outcome: { code: 1, description: 'Job Aborted: why', abort_reason: 'why', abort: kind } });
const lost: JobEnding = { how: 'lost', hostname: 'web1' };

function endOf(plan: EndPlan): JobEnd & { row: HistoryRow; expireSec: number } {
  if (plan.kind !== 'end') throw new Error(`the job does not end: ${plan.kind}`);
  const change = plan.changes.find((candidate) => candidate.type === 'finish');
  if (change?.type !== 'finish') throw new Error('no finish change');
  expect(change.record).toBe(plan.record);
  return { ...plan, row: change.row, expireSec: change.expireSec };
}

describe('a result', () => {
  test('of a success becomes a record and a row without description or activity', () => {
    const { changes, record, row, expireSec } = endOf(planEnd(job, resulting(), context));
    expect(changes).toHaveLength(1);
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
      target: 'web',
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

  test('of a failure also goes to the activity log, with its description in the row', () => {
    const { changes, row } = endOf(planEnd(job, resulting({ outcome: failure }), context));
    expect(changes.map((change) => change.type)).toEqual(['finish', 'activity']);
    expect(row).toMatchObject({ code: 7, description: 'Broke' });
  });

  test('of another attempt changes nothing', () => {
    expect(planEnd(job, resulting({ attempt: 1 }), context)).toEqual({ kind: 'stale' });
    expect(planEnd(job, resulting({ attempt: 3 }), context)).toEqual({ kind: 'stale' });
  });

  test('is overruled by a recorded abort, even a success', () => {
    const abort = { reason: 'Manually aborted by user: joe', kind: 'manual' } as const;
    expect(endOf(planEnd({ ...job, abort }, resulting(), context)).record).toMatchObject({
      code: 1,
      description: 'Job Aborted: Manually aborted by user: joe',
      abort_reason: 'Manually aborted by user: joe',
    });
  });

  test.each<[string, ActiveJob, JobEnding]>([
    ['by the primary', { ...job, abort: { reason: 'x', kind: 'manual' } }, resulting()],
    ['by a limit', job, abortedBy('timeout')],
  ])('of a job aborted %s leaves no retries in the record', (_who, aborted, ending) => {
    const retrying = { ...aborted, fields: { ...aborted.fields, retries: 3 } };
    expect(endOf(planEnd(retrying, ending, context)).record).toMatchObject({ code: 1, retries: 0 });
  });

  test('keeps the warning of its worker when it is overruled', () => {
    const abort = { reason: 'x', kind: 'manual' } as const;
    const outcome = { code: 1, description: 'y', warning: 'Processes are still alive: 7' };
    expect(endOf(planEnd({ ...job, abort }, resulting({ outcome }), context)).record).toMatchObject({
      description: 'Job Aborted: x',
      warning: 'Processes are still alive: 7',
    });
  });

  test('never shows the kind of an abort in the record', () => {
    const { record } = endOf(planEnd(job, abortedBy('timeout'), context));
    expect(record).toMatchObject({ abort_reason: 'why' });
    expect(record).not.toHaveProperty('abort');
  });

  test('is kept for another time when the event says so', () => {
    const { expireSec } = endOf(planEnd(withFields({ log_expire_days: 3 }), resulting(), context));
    expect(expireSec).toBe(3 * 86_400);
  });

  test('never has an elapsed time below zero when clocks move', () => {
    const { record } = endOf(planEnd(job, resulting({ time_end: 1_600_000_000 }), context));
    expect(record.elapsed).toBe(0);
  });
});

describe('an end without a result', () => {
  test('of a job lost with its worker has the text of the peer', () => {
    const { record, row } = endOf(planEnd(job, lost, context));
    expect(record).toMatchObject({
      complete: 1,
      code: 1,
      description: "Aborted Job: Server 'web1' shut down unexpectedly.",
      special_shutdown: true,
      elapsed: 9.5,
    });
    expect(record).not.toHaveProperty('abort_reason');
    expect(row.code).toBe(1);
  });

  test('of a job that waited for a later time says that it has not run at all', () => {
    const waiting = withFields({ time_start: 1_700_009_999 }, { state: 'waiting' });
    const { record } = endOf(planEnd(waiting, { how: 'unlaunchable', description: 'x' }, context));
    expect(record).toMatchObject({ time_start: 1_700_000_010, time_end: 1_700_000_010, elapsed: 0 });
  });
});

describe('retries', () => {
  const retrying = withFields({ retries: 2, retry_delay: 5, progress: 0.5, pid: 9, html: 'of the event' });

  test('the next attempt waits for its delay, on the same server, with one retry less', () => {
    const plan = planEnd(retrying, resulting({ outcome: failure }), context);
    if (plan.kind !== 'retry') throw new Error(plan.kind);
    expect(plan.job).toMatchObject({
      state: 'waiting',
      attempt: 3,
      node: 'web1',
      dueMs: context.nowMs + 5000,
    });
    expect(plan.job.fields).toMatchObject({ id: 'j1', retries: 1, time_start: result.time_start });
    for (const key of ['pid', 'progress', 'cpu', 'mem', 'when', 'perf', 'label', 'complete', 'code']) {
      expect(plan.job.fields).not.toHaveProperty(key);
    }
    expect(plan.job).not.toHaveProperty('boot');
  });

  test('without a delay it is due at once', () => {
    const plan = planEnd(withFields({ retries: 1 }), resulting({ outcome: failure }), context);
    expect(plan).toMatchObject({ kind: 'retry', job: { dueMs: context.nowMs } });
  });

  test('a lost job with retries goes on, too', () => {
    expect(planEnd(retrying, lost, context)).toMatchObject({ kind: 'retry', job: { attempt: 3 } });
  });

  test.each([
    ['a success', resulting()],
    ['the code "0" in words', resulting({ outcome: { code: '0', description: '' } })],
    ['a job that cannot be launched', { how: 'unlaunchable', description: 'x' }],
    ...(['timeout', 'memory', 'cpu', 'log', 'shutdown'] as const).map((kind): [string, JobEnding] => [
      `an end by ${kind}`,
      abortedBy(kind),
    ]),
  ] as [string, JobEnding][])('%s has none', (_what, ending) => {
    expect(planEnd(retrying, ending, context).kind).toBe('end');
  });

  test('a job being aborted has none', () => {
    const aborted: ActiveJob = { ...retrying, abort: { reason: 'x', kind: 'bulk' } };
    expect(planEnd(aborted, resulting({ outcome: failure }), context).kind).toBe('end');
  });

  test('a job that always fails has exactly 1 + retries attempts, each later than the one before', () => {
    fc.assert(
      fc.property(
        fc.nat(12),
        fc.nat(600),
        fc.array(fc.nat(9), { minLength: 13 }),
        (retries, delay, pauses) => {
          let current = withFields({ retries, retry_delay: delay }, { attempt: 1 });
          let nowMs = context.nowMs;
          let attempts = 1;
          for (;;) {
            const failed = resulting({ attempt: current.attempt, outcome: failure });
            const plan = planEnd(current, failed, { ...context, nowMs });
            if (plan.kind !== 'retry') {
              expect(plan).toMatchObject({ kind: 'end', record: { retries: 0, code: 7 } });
              break;
            }
            expect(plan.job.attempt).toBe(current.attempt + 1);
            expect(plan.job.dueMs).toBe(nowMs + delay * 1000);
            current = { ...plan.job, state: 'running' };
            nowMs = (plan.job.dueMs ?? 0) + (pauses[attempts] ?? 0);
            attempts += 1;
          }
          expect(attempts).toBe(1 + retries);
        },
      ),
    );
  });
});

describe('chains', () => {
  const chaining = withFields({ chain: 'ok1', chain_error: 'bad1', chain_data: { received: 1 } });
  const targetOf = (plan: EndPlan): string | undefined =>
    endOf(plan).launches.find((launch) => launch.why === 'chain')?.request.event;

  test('a success launches chain, with all that the next event may want to know', () => {
    const { launches } = endOf(planEnd(chaining, resulting(), context));
    expect(launches).toEqual([
      {
        why: 'chain',
        request: {
          event: 'ok1',
          overrides: {},
          now: 1_700_000_010,
          source: 'Chain Reaction (Backup)',
          extra: {
            chain_data: { received: 1 },
            chain_code: 0,
            chain_description: 'Done',
            source_event: 'e1',
            source_job: 'j1',
          },
        },
      },
    ]);
  });

  test('a plugin may choose the event, its data and its parameters, or none', () => {
    const reported = { chain: 'other', chain_data: [1], chain_params: { a: 2 } };
    const { launches } = endOf(planEnd(chaining, resulting({ reported }), context));
    expect(launches[0]?.request).toMatchObject({
      event: 'other',
      overrides: { params: { a: 2 } },
      extra: { chain_data: [1] },
    });
    expect(targetOf(planEnd(chaining, resulting({ reported: { chain: '' } }), context))).toBeUndefined();
  });

  test('no chain data at all is an empty object', () => {
    const { launches } = endOf(planEnd(withFields({ chain: 'ok1' }), resulting(), context));
    expect(launches[0]?.request.extra?.['chain_data']).toEqual({});
  });

  test.each<[string, JobEnding, ActiveJob['abort'], string | undefined]>([
    ['a failure', resulting({ outcome: failure }), undefined, 'bad1'],
    ['a lost job', lost, undefined, 'bad1'],
    ['a job over a limit', abortedBy('memory'), undefined, 'bad1'],
    ['a job out of time', abortedBy('timeout'), undefined, 'bad1'],
    ['a job whose worker shuts down', abortedBy('shutdown'), undefined, undefined],
    ['an abort by hand', resulting(), { reason: 'x', kind: 'manual' }, undefined],
    ['an abort by criteria', resulting(), { reason: 'x', kind: 'bulk' }, undefined],
    ['a disabled event', resulting(), { reason: 'x', kind: 'disabled' }, undefined],
  ])('%s', (_what, ending, abort, target) => {
    const plan = planEnd(abort === undefined ? chaining : { ...chaining, abort }, ending, context);
    expect(targetOf(plan)).toBe(target);
  });
});

describe('catch-up', () => {
  const scheduled = withFields({ catch_up: 1, now: 1_700_000_039 });

  test.each(Object.entries(endRules))('the minute of a job that ended by %s', (kind, rule) => {
    const ending: JobEnding =
      kind === 'exit'
        ? resulting({ outcome: failure })
        : kind === 'lost'
          ? lost
          : kind === 'unlaunchable'
            ? { how: 'unlaunchable', description: 'x' }
            : abortedBy(kind as AbortKind);
    const { redoMinute } = endOf(planEnd(scheduled, ending, context));
    expect(redoMinute).toBe(rule.rewind ? 1_699_999_980 : undefined);
  });

  test.each<[string, ActiveJob]>([
    ['without catch_up', withFields({ now: 1_700_000_039 })],
    ['one of a multiplexed set', withFields({ catch_up: 1, multiplex: 1 })],
    ['started by hand', withFields({ catch_up: 1, source: 'Manual (joe)' })],
    ['aborted with no_rewind', { ...scheduled, abort: { reason: 'x', kind: 'bulk', noRewind: true } }],
  ])('%s has none to redo', (_what, other) => {
    expect(endOf(planEnd(other, abortedBy('memory'), context)).redoMinute).toBeUndefined();
  });

  test('a success has nothing to redo', () => {
    expect(endOf(planEnd(scheduled, resulting(), context)).redoMinute).toBeUndefined();
  });

  test('a lost job that somebody started is started again as it was', () => {
    const manual = withFields({
      catch_up: 1,
      source: 'API Key (CI)',
      api_key: 'k1',
      params: { a: 1 },
      chain_data: { b: 2 },
    });
    const { launches } = endOf(planEnd(manual, lost, context));
    expect(launches).toEqual([
      {
        why: 'rerun',
        request: {
          event: 'e1',
          overrides: { params: { a: 1 } },
          now: 1_700_000_000,
          source: 'API Key (CI)',
          api_key: 'k1',
          extra: { chain_data: { b: 2 } },
        },
      },
    ]);
    expect(endOf(planEnd(manual, resulting({ outcome: failure }), context)).launches).toEqual([]);
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
