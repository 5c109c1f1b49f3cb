import type { ActiveJob } from '@carillon/core';
import type { JobEnder } from '../completion/job-ender.js';
import type { OfficeContext } from '../office/context.js';

export interface RelocationDeps {
  office: OfficeContext;
  ender: JobEnder;
  /** Launches a job anew that was taken back before it started; false when no server may have it. */
  relaunch: (job: ActiveJob) => Promise<boolean>;
  /** Takes over a job that has had attempts already. */
  takeBackRetry: (job: ActiveJob) => Promise<void>;
}

/**
 * Takes jobs that have not started away from workers that will not start them. Such a job can move safely: its run
 * is taken back first, in one step that a late claim cannot undo.
 */
export class Relocation {
  readonly #office: OfficeContext;
  readonly #deps: RelocationDeps;

  constructor(deps: RelocationDeps) {
    this.#office = deps.office;
    this.#deps = deps;
  }

  /** Moves every unclaimed job of a node that takes no more; those it has claimed stay. */
  async release(node: string, hostname: string): Promise<void> {
    for (const job of this.#office.state.jobsOfNode(node)) {
      if (job.state === 'dispatched') await this.move(job, hostname);
    }
  }

  /**
   * Moves one dispatched job to another server of its target, or ends it as lost when there is none. Answers
   * `claimed`, and leaves it alone, when it is too late.
   */
  async move(job: ActiveJob, hostname: string): Promise<'moved' | 'claimed'> {
    const { store, session, state, log } = this.#office;
    const run = { job: job.fields.id, attempt: job.attempt };
    // Whoever else moves the jobs of this node may have been quicker: a claim then is one of another server.
    if (state.jobs.get(run.job)?.node !== job.node) return 'moved';
    const revocation = await store.revoke(session, run);
    if (revocation.kind === 'claimed') return 'claimed';
    const current = state.jobs.get(run.job);
    if (current?.state !== 'dispatched' || current.attempt !== run.attempt) return 'moved';
    if (current.node !== job.node) return 'moved';
    const { event } = job.fields;
    log.log('info', 'A job that has not started leaves its server', {
      ...run,
      event,
      worker: job.node,
      hostname,
    });
    const { ender, relaunch, takeBackRetry } = this.#deps;
    if (current.abort !== undefined) await ender.endAborted(current);
    else if (current.attempt > 1) await takeBackRetry(current);
    // One of a set is meant for this very server.
    else if (current.fields['multiplex'] || !(await relaunch(current))) {
      await ender.endLost(state.jobs.get(run.job) ?? current, hostname);
    }
    return 'moved';
  }
}
