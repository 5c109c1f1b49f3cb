import type { ActiveJob, Cancel, Change } from '@carillon/core';
import type { OfficeContext } from '../office/context.js';
import type { RetryService } from './retry-service.js';

/** A ticket that was not answered by a claim within this time is added again; one of the two dies at the claim. */
const repeatAfterMs = 5_000;
const repairEveryMs = 1_000;

/**
 * Turns stored runs into tickets: at once for dispatched jobs, at their time for waiting ones, and again when
 * a ticket seems to be lost. A ticket that turns out to be superfluous dies at the claim.
 */
export class Dispatcher {
  readonly #office: OfficeContext;
  readonly #retries: () => Pick<RetryService, 'canStay' | 'place'>;
  readonly #timers = new Map<string, Cancel>();
  /** Monotonic time of the last ticket of each dispatched run. */
  readonly #sentAtMs = new Map<string, number>();
  #repair: Cancel | undefined;

  /** `retries` is asked for when the first job is due. */
  constructor(office: OfficeContext, retries: () => Pick<RetryService, 'canStay' | 'place'>) {
    this.#office = office;
    this.#retries = retries;
    office.journal.observe((changes) => this.#onChanges(changes));
  }

  /** Takes up what earlier terms left: waiting jobs get their timers, dispatched ones their tickets. */
  start(): void {
    for (const job of this.#office.state.jobs.values()) {
      if (job.abort !== undefined) continue;
      if (job.state === 'waiting') this.#arm(job);
      if (job.state === 'dispatched') this.send(job);
    }
    this.#repair = this.#office.clock.every(repairEveryMs, () => this.#resendOverdue());
  }

  stop(): void {
    this.#repair?.();
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#sentAtMs.clear();
  }

  /** Adds the ticket of a dispatched job. Call after the dispatch is durable. Never throws. */
  send(job: ActiveJob): void {
    const { queue, session, clock, log } = this.#office;
    const run = { job: job.fields.id, attempt: job.attempt };
    this.#sentAtMs.set(run.job, clock.monotonicMs());
    queue.addTicket(job.node, { ...run, term: session.term }).catch((error: unknown) => {
      if (session.signal.aborted) return;
      log.log('warn', 'A ticket could not be added; it is tried again', {
        ...run,
        event: job.fields.event,
        worker: job.node,
        error: String(error),
      });
    });
  }

  #onChanges(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.type === 'job') {
        const { job } = change;
        if (job.state === 'waiting') this.#arm(job);
        else this.#disarm(job.fields.id);
      } else if (change.type === 'finish') this.#forget(change.record.id);
      else if (change.type === 'forget-job') this.#forget(change.id);
    }
  }

  #arm(job: ActiveJob): void {
    const id = job.fields.id;
    this.#disarm(id);
    const delayMs = Math.max(0, (job.dueMs ?? 0) - this.#office.clock.nowMs());
    this.#timers.set(
      id,
      this.#office.clock.after(delayMs, () => void this.#onDue(id)),
    );
  }

  async #onDue(id: string): Promise<void> {
    const { state, clock, journal } = this.#office;
    this.#timers.delete(id);
    const job = state.jobs.get(id);
    if (job?.state !== 'waiting' || job.abort !== undefined) return;
    if ((job.dueMs ?? 0) > clock.nowMs()) {
      this.#arm(job);
      return;
    }
    const run = { job: id, attempt: job.attempt };
    try {
      if (!this.#retries().canStay(job)) {
        await this.#retries().place(job);
        return;
      }
      await journal.commit([{ type: 'dispatch', run, node: job.node }]);
    } catch {
      return; // The term is over; the next primary arms the timer again.
    }
    const dispatched = state.jobs.get(id);
    if (dispatched?.state === 'dispatched') this.send(dispatched);
  }

  #resendOverdue(): void {
    const now = this.#office.clock.monotonicMs();
    for (const [id, sentAtMs] of this.#sentAtMs) {
      const job = this.#office.state.jobs.get(id);
      if (job?.state !== 'dispatched') this.#sentAtMs.delete(id);
      else if (now - sentAtMs > repeatAfterMs) this.send(job);
    }
  }

  #disarm(id: string): void {
    this.#timers.get(id)?.();
    this.#timers.delete(id);
  }

  #forget(id: string): void {
    this.#disarm(id);
    this.#sentAtMs.delete(id);
  }
}
