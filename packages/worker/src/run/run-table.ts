import type { RunRef } from '@carillon/contract';
import type { HeldRun } from './held-run.js';

/** The runs this worker holds: at most one of each job. */
export class RunTable {
  readonly #runs = new Map<string, HeldRun>();
  #emptied: (() => void)[] = [];

  get size(): number {
    return this.#runs.size;
  }

  add(run: HeldRun): void {
    this.#runs.set(run.ref.job, run);
  }

  ofJob(job: string): HeldRun | undefined {
    return this.#runs.get(job);
  }

  /** Exactly this attempt. */
  get(ref: RunRef): HeldRun | undefined {
    const run = this.#runs.get(ref.job);
    return run?.ref.attempt === ref.attempt ? run : undefined;
  }

  all(): HeldRun[] {
    return [...this.#runs.values()];
  }

  delete(run: HeldRun): void {
    if (this.#runs.get(run.ref.job) === run) this.#runs.delete(run.ref.job);
    if (this.#runs.size > 0) return;
    for (const resolve of this.#emptied.splice(0)) resolve();
  }

  /** Resolves when no run is held, at once if none is. */
  empty(): Promise<void> {
    if (this.#runs.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#emptied.push(resolve));
  }
}
