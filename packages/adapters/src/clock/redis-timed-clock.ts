import type { Cancel, Clock, Logger } from '@carillon/core';
import type { Redis } from 'ioredis';

/** Clocks that differ by less are left alone: the way to Redis and back hides about as much. */
const toleratedMs = 2_000;
/** An answer that took longer says too little about the moment it was given. */
const slowestAnswerMs = 1_000;
const measureEveryMs = 10_000;

export interface RedisTimedClockDeps {
  redis: Pick<Redis, 'time'>;
  clock: Clock;
  log: Logger;
}

/**
 * The machine's clock, whose wall time is moved to that of Redis while the two differ by more than two seconds. All
 * nodes of a cluster share that Redis, so a change of primary is no jump in time for the schedule, whatever the clocks
 * of the machines say. `monotonicMs` and timers are those of the machine.
 */
export class RedisTimedClock implements Clock {
  readonly #deps: RedisTimedClockDeps;
  #offsetMs = 0;
  #isMeasuring = false;
  #timer: Cancel | undefined;

  constructor(deps: RedisTimedClockDeps) {
    this.#deps = deps;
  }

  nowMs(): number {
    return this.#deps.clock.nowMs() + this.#offsetMs;
  }

  monotonicMs(): number {
    return this.#deps.clock.monotonicMs();
  }

  after(delayMs: number, callback: () => void): Cancel {
    return this.#deps.clock.after(delayMs, callback);
  }

  every(periodMs: number, callback: () => void): Cancel {
    return this.#deps.clock.every(periodMs, callback);
  }

  /** Measures now, and every ten seconds until `stop`. Resolves after the first one, whether or not it succeeded. */
  async start(): Promise<void> {
    this.#timer ??= this.every(measureEveryMs, () => void this.#measure());
    await this.#measure();
  }

  stop(): void {
    this.#timer?.();
  }

  async #measure(): Promise<void> {
    if (this.#isMeasuring) return;
    this.#isMeasuring = true;
    try {
      const { clock, redis } = this.#deps;
      const askedAtMs = clock.monotonicMs();
      const [sec, microseconds] = await redis.time();
      const tookMs = clock.monotonicMs() - askedAtMs;
      if (tookMs > slowestAnswerMs) return;
      const answeredMs = Number(sec) * 1000 + Number(microseconds) / 1000;
      this.#correct(Math.round(answeredMs + tookMs / 2 - clock.nowMs()));
    } catch {
      // Redis is away; what was measured last still holds.
    } finally {
      this.#isMeasuring = false;
    }
  }

  #correct(differenceMs: number): void {
    const before = this.#offsetMs;
    const isWrong = Math.abs(differenceMs) > toleratedMs;
    // A clock that runs steadily is measured a little differently each time, and time must not jitter.
    if (isWrong && before !== 0 && Math.abs(differenceMs - before) < toleratedMs) return;
    this.#offsetMs = isWrong ? differenceMs : 0;
    const { log } = this.#deps;
    if (isWrong) {
      log.log('warn', 'The clock of this node differs from that of Redis, which the schedule goes by', {
        aheadMs: -differenceMs,
      });
    } else if (before !== 0) log.log('info', 'The clock of this node agrees with that of Redis again');
  }
}
