import { describe, expect, test } from '@jest/globals';
import type { JobFields, RunReport } from '@carillon/contract';
import { type ActiveJob, memberHealth, reconcileWorker } from '../../src/index.js';

const limits = { silentAfterMs: 3_000, lostAfterMs: 120_000 };

test.each([
  [0, 'alive'],
  [3_000, 'alive'],
  [3_001, 'silent'],
  [120_000, 'silent'],
  [120_001, 'lost'],
] as const)('a worker quiet for %d ms is %s', (quietMs, health) => {
  expect(memberHealth(quietMs, limits)).toBe(health);
});

function job(id: string, state: ActiveJob['state'], attempt = 1, boot?: string): ActiveJob {
  const fields = { id } as JobFields;
  return { state, attempt, seq: 1, node: 'n1', fields, ...(boot === undefined ? {} : { boot }) };
}
const report = (id: string, attempt = 1): RunReport => ({ job: id, attempt });
const ids = (jobs: readonly ActiveJob[]) => jobs.map((each) => each.fields.id);

describe('reconcileWorker', () => {
  test('runs that the worker holds go on, whatever was known of them', () => {
    const jobs = [job('a', 'running', 1, 'old'), job('b', 'dispatched'), job('c', 'silent', 2, 'now')];
    const found = reconcileWorker(jobs, 'now', [report('a'), report('b'), report('c', 2)]);
    expect(ids(found.held.map((each) => each.job))).toEqual(['a', 'b', 'c']);
    expect([...found.orphaned, ...found.unclear, ...found.strays]).toEqual([]);
  });

  test('runs claimed by an earlier boot died with it', () => {
    const found = reconcileWorker([job('a', 'running', 1, 'old'), job('b', 'silent', 1, 'old')], 'now', []);
    expect(ids(found.orphaned)).toEqual(['a', 'b']);
  });

  test('a run claimed by this boot is never given up: its result comes', () => {
    expect(reconcileWorker([job('a', 'running', 1, 'now')], 'now', []).orphaned).toEqual([]);
  });

  test('a dispatched run that is not held has to be looked up', () => {
    expect(ids(reconcileWorker([job('a', 'dispatched')], 'now', []).unclear)).toEqual(['a']);
  });

  test('runs of ended jobs and of other attempts are strays', () => {
    const found = reconcileWorker([job('a', 'running', 2, 'old')], 'now', [report('a', 1), report('gone')]);
    expect(found.strays).toEqual([report('a', 1), report('gone')]);
    expect(ids(found.orphaned)).toEqual(['a']);
  });

  test('jobs that wait for room or for their time are not the worker’s business', () => {
    const found = reconcileWorker([job('a', 'queued'), job('b', 'waiting')], 'now', []);
    expect([...found.held, ...found.orphaned, ...found.unclear, ...found.strays]).toEqual([]);
  });
});
