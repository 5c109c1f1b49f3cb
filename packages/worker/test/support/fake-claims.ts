import { type JobFields, type RunRef, runId } from '@carillon/contract';
import type { ClaimOutcome, RunClaims } from '@carillon/core';

/** Claims as the store grants them, with replies that can be lost on request. */
export class FakeClaims implements RunClaims {
  readonly calls: { run: RunRef; nonce: string; boot: string }[] = [];
  readonly #jobs = new Map<string, JobFields>();
  readonly #claimed = new Map<string, string>();
  /** Present attempts. */
  readonly #attempts = new Map<string, number>();
  /** Calls to fail: before anything happened, or after the claim was granted. */
  readonly failures: ('before' | 'after')[] = [];
  /** Set: claims wait for it. */
  hold: Promise<void> | undefined;

  dispatch(run: RunRef, job: JobFields): void {
    this.#jobs.set(runId(run), job);
    this.#attempts.set(run.job, run.attempt);
  }

  async claim(run: RunRef, worker: { node: string; boot: string; nonce: string }): Promise<ClaimOutcome> {
    this.calls.push({ run, nonce: worker.nonce, boot: worker.boot });
    const failure = this.failures.shift();
    await this.hold;
    if (failure === 'before') throw new Error('the store is away');
    const answer = this.#grant(runId(run), `${worker.boot}:${worker.nonce}`);
    if (failure === 'after') throw new Error('the reply was lost');
    return answer;
  }

  async isCurrent(run: RunRef): Promise<boolean> {
    return this.#claimed.has(runId(run)) && this.#attempts.get(run.job) === run.attempt;
  }

  /** The job has ended. */
  forget(job: string): void {
    this.#attempts.delete(job);
  }

  #grant(id: string, claimant: string): ClaimOutcome {
    const job = this.#jobs.get(id);
    if (job === undefined) return { claimed: false, reason: 'unknown' };
    const holder = this.#claimed.get(id);
    if (holder !== undefined && holder !== claimant) return { claimed: false, reason: 'already claimed' };
    this.#claimed.set(id, claimant);
    return { claimed: true, job: structuredClone(job) };
  }
}
