import type { WorkerMessage } from '@carillon/contract';
import type { Cancel, Clock } from '@carillon/core';
import type { HeldRun } from './run/held-run.js';

const pauseMs = 100;

/** Tells the primary of progress at once, but not more often than ten times a second for each run. */
export class ProgressNotices {
  readonly #clock: Clock;
  readonly #send: (message: WorkerMessage) => void;
  readonly #told = new Map<HeldRun, { progress: number; cancel: Cancel | undefined }>();

  constructor(clock: Clock, send: (message: WorkerMessage) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  onOutput(run: HeldRun): void {
    const progress = run.output?.report.progress;
    if (progress === undefined) return;
    const told = this.#told.get(run);
    if (told?.progress === progress || told?.cancel !== undefined) return;
    this.#tell(run, progress);
  }

  onEnded(run: HeldRun): void {
    this.#told.get(run)?.cancel?.();
    this.#told.delete(run);
  }

  #tell(run: HeldRun, progress: number): void {
    const cancel = this.#clock.after(pauseMs, () => {
      const told = this.#told.get(run);
      if (told !== undefined) told.cancel = undefined;
      this.onOutput(run);
    });
    this.#told.set(run, { progress, cancel });
    this.#send({ type: 'run', run: run.report() });
  }
}
