import { checkJobs } from './check-jobs.js';
import { checkAsked, checkScheduled } from './check-launches.js';
import { checkWrites } from './check-writes.js';
import type { RunRecords } from './records.js';
import { type Violation, type ViolationKind, violationKinds } from './violations.js';

export interface Verdict {
  /** Of each kind how many; all zero is what Carillon promises. */
  counts: Record<ViolationKind, number>;
  violations: Violation[];
  /** What was looked at: a run in which little happened proves little. */
  seen: { jobs: number; starts: number; writes: number; requests: number; events: number };
}

/**
 * Compares what the schedule demanded, what the API acknowledged, what really ran and what the history says. Events of
 * the records are due every minute or on demand only. Pure.
 */
export function checkRun(records: RunRecords): Verdict {
  const violations = [
    ...checkScheduled(records),
    ...checkAsked(records),
    ...checkJobs(records),
    ...checkWrites(records),
  ];
  const countOf = (kind: ViolationKind): number =>
    violations.filter((violation) => violation.kind === kind).length;
  return {
    counts: Object.fromEntries(violationKinds.map((kind) => [kind, countOf(kind)])) as Verdict['counts'],
    violations,
    seen: {
      jobs: records.ended.length,
      starts: records.lines.filter(({ at }) => at === 'start').length,
      writes: records.writes.length,
      requests: records.runs.length,
      events: new Set(records.writes.map(({ event }) => event)).size,
    },
  };
}
