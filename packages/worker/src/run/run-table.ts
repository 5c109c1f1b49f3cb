import type { RunRef } from '@carillon/contract';
import type { HeldRun } from './held-run.js';

/** The runs this worker holds: at most one of each job. */
export class RunTable {
  readonly #runs = new Map<string, HeldRun>();
  #waiting: { mayStay: (run: HeldRun) => boolean; resolve: () => void }[] = [];

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
    this.#waiting = this.#waiting.filter(({ mayStay, resolve }) => {
      if (!this.all().every(mayStay)) return true;
      resolve();
      return false;
    });
  }

  /** Resolves when no run is held but such as may stay behind, at once if so. */
  empty(mayStay: (run: HeldRun) => boolean = () => false): Promise<void> {
    if (this.all().every(mayStay)) return Promise.resolve();
    return new Promise((resolve) => void this.#waiting.push({ mayStay, resolve }));
  }
}
