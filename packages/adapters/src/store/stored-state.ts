import type { Delivery, MasterState } from '@carillon/contract';
import { type ActiveJob, type Change, ClusterState, type DayStats, withStoredRun } from '@carillon/core';
import type { RunEntry } from './run-entry.js';

/** Everything a store keeps for the memory of the primary, as read. */
export interface StoredState {
  puts: Extract<Change, { type: 'put' }>[];
  enabled: 0 | 1;
  tickMinute: number | undefined;
  cursors: ReadonlyMap<string, number>;
  redos: ReadonlyMap<string, readonly number[]>;
  robins: ReadonlyMap<string, number>;
  jobs: ActiveJob[];
  /** The outbox, in any order. */
  deliveries: Delivery[];
  /** Dispatches newer than the stored job. */
  dispatches: ReadonlyMap<string, { attempt: number; node: string }>;
  runs: ReadonlyMap<string, RunEntry>;
  stats: DayStats;
}

/** How many records are indexed before other work gets a turn. */
const batchSize = 1_000;

/**
 * Builds the memory of the primary from what is stored, calling `pause` between batches so that a large state does
 * not keep the lease from being renewed. Jobs come in launch order. A run claimed since its dispatch makes its job
 * `running` under the boot that claimed it. One that was taken back by a primary which did not come to the next step
 * makes its job due at once, so that it is dispatched anew.
 */
export async function rebuildState(stored: StoredState, pause: () => Promise<void>): Promise<ClusterState> {
  const state = new ClusterState();
  const changes: Change[] = [...stored.puts].sort((a, b) => a.seq - b.seq);
  changes.push({ type: 'switch', enabled: stored.enabled });
  if (stored.tickMinute !== undefined) changes.push({ type: 'tick', minute: stored.tickMinute });
  for (const [event, minute] of stored.cursors) changes.push({ type: 'cursor', event, minute });
  for (const [event, minutes] of stored.redos) changes.push({ type: 'redo', event, minutes });
  for (const [event, index] of stored.robins) changes.push({ type: 'robin', event, index });
  const jobs = [...stored.jobs].sort((a, b) => a.seq - b.seq);
  for (const job of jobs) changes.push(...jobChanges(job, stored));
  for (const delivery of [...stored.deliveries].sort((a, b) => a.createdMs - b.createdMs)) {
    changes.push({ type: 'delivery', delivery });
  }
  for (const [index, change] of changes.entries()) {
    if (index % batchSize === batchSize - 1) await pause();
    state.applyChange(change);
  }
  for (const job of jobs) applyRun(state, stored.runs.get(job.fields.id), job.fields.id);
  state.stats = stored.stats;
  return state;
}

function jobChanges(job: ActiveJob, stored: StoredState): Change[] {
  const id = job.fields.id;
  const dispatch = stored.dispatches.get(id);
  const put: Change = { type: 'job', job };
  if (dispatch === undefined) return [put];
  return [put, { type: 'dispatch', run: { job: id, attempt: dispatch.attempt }, node: dispatch.node }];
}

function applyRun(state: ClusterState, run: RunEntry | undefined, id: string): void {
  const job = state.jobs.get(id);
  if (job?.state !== 'dispatched' || run?.attempt !== job.attempt || run.state === 'dispatched') return;
  state.applyChange({ type: 'job', job: withStoredRun(job, run) });
}

/** Totals from counters; what is missing or not a number counts as 0. */
export function readTotals(counters: ReadonlyMap<string, string>): MasterState['stats'] {
  const count = (name: string) => Number(counters.get(name) ?? '0') || 0;
  return {
    jobs_completed: count('jobs_completed'),
    jobs_failed: count('jobs_failed'),
    jobs_elapsed: count('jobs_elapsed_ms') / 1000,
    jobs_log_size: count('jobs_log_size'),
    emails_sent: count('emails_sent'),
  };
}
