import {
  type Cancel,
  type Clock,
  type DefaultLimits,
  effectiveLimits,
  exceededLimit,
  type ExceededSince,
  noteSample,
  type RunLimits,
  type TreeSample,
} from '@carillon/core';
import type { AbortService } from './abort.js';
import type { HeldRun } from './held-run.js';

export interface LimitDeps {
  clock: Clock;
  aborts: AbortService;
  /** For jobs that have none of their own. */
  defaults: DefaultLimits;
}

interface Watched {
  limits: RunLimits;
  /** Start of this process, and of the job's first one, on the monotonic clock. */
  beganMs: number;
  startedMs: number;
  since: ExceededSince;
  cancelTimer: Cancel | undefined;
}

/**
 * Ends runs that exceed their limits (behaviour reference 5.11): the run time by a timer, memory and CPU with each
 * sample, the log with each piece of output. Only processes are limited: one that has exited has kept its limits.
 */
export class LimitWatch {
  readonly #deps: LimitDeps;
  readonly #watched = new Map<HeldRun, Watched>();

  constructor(deps: LimitDeps) {
    this.#deps = deps;
  }

  /** From the start of a run's process, or its adoption, on; the run time counts from `run.timeStart`. */
  start(run: HeldRun): void {
    const { clock, defaults } = this.#deps;
    const ageMs = clock.nowMs() - (run.timeStart ?? clock.nowMs() / 1000) * 1000;
    const watched: Watched = {
      limits: effectiveLimits(run.job, defaults),
      beganMs: clock.monotonicMs(),
      // Held on the monotonic clock: setting the wall clock must not end jobs.
      startedMs: clock.monotonicMs() - Math.max(0, ageMs),
      since: {},
      cancelTimer: undefined,
    };
    this.#watched.set(run, watched);
    this.#arm(run, watched);
    void run.process?.exited.then(() => this.end(run));
  }

  /** The job's settings have changed: they count at once. */
  onUpdate(run: HeldRun): void {
    const watched = this.#watched.get(run);
    if (watched === undefined) return;
    watched.limits = effectiveLimits(run.job, this.#deps.defaults);
    this.#arm(run, watched);
    this.#look(run, watched);
  }

  onSample(run: HeldRun, sample: TreeSample): void {
    const watched = this.#watched.get(run);
    if (watched === undefined) return;
    const nowMs = this.#deps.clock.monotonicMs();
    const isStarting = nowMs - watched.beganMs < watched.limits.cpuGraceSec * 1000;
    const counted = isStarting ? { mem: sample.mem } : sample;
    watched.since = noteSample(watched.since, counted, watched.limits, nowMs);
    this.#look(run, watched);
  }

  /** The log has grown. */
  onOutput(run: HeldRun): void {
    const watched = this.#watched.get(run);
    if (watched === undefined || watched.limits.logBytes === 0) return;
    // However long it takes the process to die, for whatever reason, the log stays within bounds.
    if ((run.log?.size ?? 0) > watched.limits.logBytes) run.logFull = true;
    this.#look(run, watched);
  }

  /** Harmless when repeated. */
  end(run: HeldRun): void {
    this.#watched.get(run)?.cancelTimer?.();
    this.#watched.delete(run);
  }

  #arm(run: HeldRun, watched: Watched): void {
    const { clock } = this.#deps;
    watched.cancelTimer?.();
    watched.cancelTimer = undefined;
    const { timeoutSec } = watched.limits;
    if (timeoutSec === 0) return;
    const leftMs = watched.startedMs + timeoutSec * 1000 - clock.monotonicMs();
    watched.cancelTimer = clock.after(Math.max(0, leftMs), () => {
      watched.cancelTimer = undefined;
      this.#look(run, watched);
      // A timer may be early by a millisecond.
      if (run.abort === undefined) this.#arm(run, watched);
    });
  }

  #look(run: HeldRun, watched: Watched): void {
    if (run.abort !== undefined) return;
    const { clock, aborts } = this.#deps;
    const look = { nowMs: clock.monotonicMs(), logBytes: run.log?.size ?? 0, ...watched };
    const exceeded = exceededLimit(look, watched.limits);
    if (exceeded !== undefined) aborts.request(run, exceeded.kind, exceeded.reason);
  }
}
