import type { ActiveJob, JobEnding, Member } from '@carillon/core';
import type { OfficeContext } from '../office/context.js';
import type { LaunchService } from './launch-service.js';

/** Between looks for a server that may have a retry. */
const lookAgainMs = 2_000;

export interface RetryDeps {
  office: OfficeContext;
  launches: Pick<LaunchService, 'relaunch'>;
  members: () => readonly Member[];
  /** The worker says that it takes no more jobs. */
  isLeaving: (node: string) => boolean;
  finish: (job: string, ending: JobEnding) => Promise<void>;
}

/**
 * Finds a place for the next attempt of a job whose own server is not there (product decision "Retry"), and for one that
 * waited for its first start on a server that is leaving: another server of its target, or its own when it comes back. It looks for as long as a silent worker may take to come back, and then
 * ends the job.
 */
export class RetryService {
  readonly #deps: RetryDeps;

  constructor(deps: RetryDeps) {
    this.#deps = deps;
  }

  /**
   * True for a due job that can start where it is: its server takes jobs, or is silent and may soon take one that has
   * not run yet.
   */
  canStay(job: ActiveJob): boolean {
    const { members, isLeaving } = this.#deps;
    if (job.attempt === 1) return !isLeaving(job.node);
    return members().some((member) => member.id === job.node && member.available);
  }

  /** Takes over a retry whose run was taken back before it started: it is due once more. */
  async takeBack(job: ActiveJob): Promise<void> {
    const { office } = this.#deps;
    const waiting: ActiveJob = { ...job, state: 'waiting', dueMs: office.clock.nowMs() };
    await office.journal.commit([{ type: 'job', job: waiting }]);
  }

  /** Moves a due job, or puts it off. Throws CarillonError `unavailable`. */
  async place(job: ActiveJob): Promise<void> {
    const { office, launches, finish } = this.#deps;
    const now = office.clock.nowMs();
    const untilMs = job.retryUntilMs ?? now + office.settings.deadJobTimeoutMs;
    if (now >= untilMs) {
      const attempt = job.attempt === 1 ? 'launch' : 'retry';
      const description = `Failed to ${attempt} job: No server is available for it: ${job.fields.nice_target}`;
      await finish(job.fields.id, { how: 'unlaunchable', description });
      return;
    }
    const later: ActiveJob = { ...job, dueMs: Math.min(untilMs, now + lookAgainMs), retryUntilMs: untilMs };
    // One of a multiplexed set is meant for its own server.
    if (job.fields['multiplex']) await office.journal.commit([{ type: 'job', job: later }]);
    else await launches.relaunch(job, later);
  }
}
