/** Ends a timer or a subscription; calling it again is harmless. */
export type Cancel = () => void;

/**
 * Time. Wall time may jump in either direction and is only for what is stored or compared with a
 * calendar; durations come from `monotonicMs`. Timers follow monotonic time and may fire late, never
 * early by more than a millisecond.
 */
export interface Clock {
  /** Wall clock, Unix milliseconds. */
  nowMs(): number;
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonicMs(): number;
  /** Calls once after `delayMs` (0 = soon, but never synchronously). */
  after(delayMs: number, callback: () => void): Cancel;
  /** Calls every `periodMs`, first after one period. */
  every(periodMs: number, callback: () => void): Cancel;
}
