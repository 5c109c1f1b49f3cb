import { CarillonError } from '@carillon/contract';
import { type AbortRequest, type ActiveJob, type Cancel, isClaimed } from '@carillon/core';
import type { OfficeContext } from '../office/context.js';
import type { Finisher } from './finisher.js';

const repairEveryMs = 5_000;

/** Ends jobs that will have no result of their own: aborted before a start, or lost with their worker. */
export class JobEnder {
  readonly #office: OfficeContext;
  readonly #finisher: Pick<Finisher, 'finish'>;
  #repair: Cancel | undefined;

  constructor(office: OfficeContext, finisher: Pick<Finisher, 'finish'>) {
    this.#office = office;
    this.#finisher = finisher;
  }

  /**
   * Records the wish to end a job, and ends it at once when no process can exist. Answers the job when its
   * worker has to be told. Throws CarillonError `unavailable`.
   */
  async abort(job: ActiveJob, request: AbortRequest): Promise<ActiveJob | undefined> {
    const { state, journal, store, session } = this.#office;
    const id = job.fields.id;
    if (job.abort === undefined) await journal.commit([{ type: 'job', job: { ...job, abort: request } }]);
    const noted = state.jobs.get(id);
    if (noted === undefined) return undefined;
    if (noted.state === 'queued' || noted.state === 'waiting') {
      await this.endAborted(noted);
      return undefined;
    }
    if (noted.state === 'dispatched') {
      const revocation = await this.#guard(store.revoke(session, { job: id, attempt: noted.attempt }));
      const current = state.jobs.get(id);
      if (current === undefined) return undefined;
      if (revocation.kind !== 'claimed' && current.state === 'dispatched') {
        await this.endAborted(current);
        return undefined;
      }
    }
    return state.jobs.get(id);
  }

  /**
   * Carries out recorded aborts of jobs without a process: those of an earlier term now, and again and again those whose
   * request broke off between the record and the end.
   */
  start(): void {
    this.#resume();
    this.#repair = this.#office.clock.every(repairEveryMs, () => this.#resume());
  }

  stop(): void {
    this.#repair?.();
  }

  #resume(): void {
    for (const job of [...this.#office.state.jobs.values()]) {
      if (job.abort === undefined || isClaimed(job)) continue;
      this.abort(job, job.abort).catch((error: unknown) => {
        if (this.#office.session.signal.aborted) return;
        const { id, event } = job.fields;
        this.#office.log.log('warn', 'A recorded abort could not be carried out', {
          job: id,
          event,
          error: String(error),
        });
      });
    }
  }

  /** Ends a job whose abort is recorded and of which no process exists. */
  async endAborted(job: ActiveJob): Promise<void> {
    await this.#finisher.finish(job.fields.id, { how: 'aborted' });
  }

  /** Ends a job whose worker died with it, unless its result is already on the way. */
  async endLost(job: ActiveJob, hostname: string): Promise<void> {
    const { queue, state, log } = this.#office;
    const run = { job: job.fields.id, attempt: job.attempt };
    // Asked for whatever state is known: a run may have been claimed, and have ended, while its worker was not heard.
    if (await queue.hasResult(run)) return;
    const current = state.jobs.get(run.job);
    // It may have been launched on another server meanwhile.
    if (current === undefined || current.attempt !== run.attempt || current.node !== job.node) return;
    const { event } = job.fields;
    log.log('warn', 'A job was lost with its worker', { ...run, event, worker: job.node, hostname });
    await this.#finisher.finish(run.job, { how: 'lost', hostname });
  }

  async #guard<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch {
      throw new CarillonError('unavailable', 'The request was not confirmed. Please repeat it.');
    }
  }
}
