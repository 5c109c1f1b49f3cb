import type { RunReport } from '@carillon/contract';
import type { ActiveJob } from '../state/active-job.js';

/** What to do about the jobs of a worker that has just said hello. */
export interface Reconciliation {
  /** Runs the worker holds, for jobs that are active here. */
  held: { job: ActiveJob; report: RunReport }[];
  /** Claimed by an earlier boot of this worker and not held now: their processes are gone. */
  orphaned: ActiveJob[];
  /** Dispatched, and not held: claimed by an earlier boot, or the ticket is still under way. */
  unclear: ActiveJob[];
  /** Runs the worker holds although the job has ended or moved on: to be aborted. */
  strays: RunReport[];
}

/**
 * Compares the active jobs of a node with what its worker (of this boot) says it holds.
 * A job claimed by the same boot is never orphaned: a live worker reports each claimed run in the end.
 */
export function reconcileWorker(
  jobsOfNode: readonly ActiveJob[],
  boot: string,
  reports: readonly RunReport[],
): Reconciliation {
  const byJob = new Map(reports.map((report) => [report.job, report]));
  const result: Reconciliation = { held: [], orphaned: [], unclear: [], strays: [] };
  for (const job of jobsOfNode) {
    const report = byJob.get(job.fields.id);
    if (report !== undefined && report.attempt === job.attempt) {
      byJob.delete(job.fields.id);
      result.held.push({ job, report });
    } else if (job.state === 'dispatched') {
      result.unclear.push(job);
    } else if (isClaimed(job) && job.boot !== boot) {
      result.orphaned.push(job);
    }
  }
  result.strays.push(...byJob.values());
  return result;
}

/** True when a worker holds, or held, the run of this attempt. */
export function isClaimed(job: ActiveJob): boolean {
  return job.state === 'running' || job.state === 'silent' || job.state === 'settled';
}
