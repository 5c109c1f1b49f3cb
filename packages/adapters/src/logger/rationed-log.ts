import { types } from 'node:util';
import type { Clock, Logger, LogLevel } from '@carillon/core';

const quietMs = 10_000;
/** Distinct texts remembered; an outage has a handful. */
const mostTexts = 64;

/**
 * Writes each text at most once in ten seconds, with the number of repeats since: an outage reports itself
 * thousands of times.
 */
export class RationedLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #texts = new Map<string, { writtenAtMs: number; repeats: number }>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Lines count as equal when level, message and error text are. */
  report(level: LogLevel, message: string, error: unknown): void {
    const text = types.isNativeError(error) ? error.message || error.name : String(error);
    const key = `${level} ${message} ${text}`;
    const nowMs = this.#clock.monotonicMs();
    const known = this.#texts.get(key);
    if (known !== undefined && nowMs - known.writtenAtMs < quietMs) {
      known.repeats += 1;
      return;
    }
    if (this.#texts.size >= mostTexts) this.#texts.clear();
    this.#texts.set(key, { writtenAtMs: nowMs, repeats: 0 });
    const repeats = known?.repeats ?? 0;
    this.#log.log(level, message, { error: text, ...(repeats > 0 ? { repeats } : {}) });
  }
}
