import type { Cancel, Clock } from '@carillon/core';

/** The longest delay a Node timer keeps; longer ones are made of several. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * The machine's clock. Wall time follows the system clock; `monotonicMs` and all timers do not. A period that was
 * missed altogether (a suspended process) is skipped, not made up.
 */
export class SystemClock implements Clock {
  nowMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  after(delayMs: number, callback: () => void): Cancel {
    const dueMs = performance.now() + Math.max(0, delayMs);
    let timer: NodeJS.Timeout | undefined;
    const arm = (): void => {
      const leftMs = dueMs - performance.now();
      // Node cuts fractions off and may fire up to a millisecond early; the latter the port allows.
      if (leftMs > longestTimerMs) timer = setTimeout(arm, longestTimerMs);
      else timer = setTimeout(callback, Math.ceil(Math.max(0, leftMs)));
    };
    arm();
    return () => clearTimeout(timer);
  }

  every(periodMs: number, callback: () => void): Cancel {
    const stepMs = Math.max(1, periodMs);
    let dueMs = performance.now() + stepMs;
    let cancelled = false;
    let cancel: Cancel;
    const run = (): void => {
      const lateMs = performance.now() - dueMs;
      // Steps are counted from the start, so that rounding does not add up.
      dueMs += stepMs * Math.max(1, Math.floor(lateMs / stepMs) + 1);
      try {
        callback();
      } finally {
        if (!cancelled) cancel = this.after(dueMs - performance.now(), run);
      }
    };
    cancel = this.after(stepMs, run);
    return () => {
      cancelled = true;
      cancel();
    };
  }
}
