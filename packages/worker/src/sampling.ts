import {
  addSample,
  type Cancel,
  type Clock,
  type Logger,
  type ProcessSampler,
  type TreeSample,
} from '@carillon/core';
import type { HeldRun } from './run/held-run.js';
import type { RunTable } from './run/run-table.js';

/** Without running jobs every so many intervals are enough for the worker's own load. */
const idleIntervals = 10;

export interface SamplingDeps {
  clock: Clock;
  logger: Logger;
  sampler: ProcessSampler;
  runs: RunTable;
  /** Of the worker itself. */
  pid: number;
  intervalMs: number;
  /** A run has been sampled. */
  onSample: (run: HeldRun, sample: TreeSample) => void;
}

/** Samples CPU and memory of all running jobs and of the worker, in one pass over the process table. */
export class Sampling {
  /** The worker with all its jobs: percent of one core, bytes. */
  load = { cpu: 0, mem: 0 };
  readonly #deps: SamplingDeps;
  #cancel: Cancel | undefined;
  #tick = 0;
  #busy = false;

  constructor(deps: SamplingDeps) {
    this.#deps = deps;
  }

  start(): void {
    const { clock, intervalMs } = this.#deps;
    this.#cancel ??= clock.every(intervalMs, () => {
      this.#tick += 1;
      if (this.#busy || (this.#deps.runs.size === 0 && this.#tick % idleIntervals !== 1)) return;
      void this.#sample();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  async #sample(): Promise<void> {
    const { sampler, runs, pid, logger } = this.#deps;
    const running = runs.all().filter((run) => run.process !== undefined);
    this.#busy = true;
    try {
      const samples = await sampler.sample([pid, ...running.map((run) => run.pid)]);
      const own = samples.get(pid);
      if (own !== undefined) this.load = { cpu: own.cpu ?? this.load.cpu, mem: own.mem };
      for (const run of running) this.#take(run, samples.get(run.pid));
    } catch (error) {
      logger.log('warn', 'Processes cannot be sampled', { error: String(error) });
    } finally {
      this.#busy = false;
    }
  }

  #take(run: HeldRun, sample: TreeSample | undefined): void {
    if (sample === undefined || run.logEnded) return;
    if (sample.cpu !== undefined) run.cpu = addSample(run.cpu, sample.cpu);
    run.mem = addSample(run.mem, sample.mem);
    run.changed = true;
    this.#deps.onSample(run, sample);
  }
}
