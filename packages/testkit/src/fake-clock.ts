import type { Cancel, Clock } from '@carillon/core';

interface Timer {
  dueMs: number;
  order: number;
  periodMs: number | undefined;
  callback: () => void;
}

/** A macrotask turn of Node, after which all chains of settled promises have run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Time that moves only by hand. Timers run inside `advance`, in the order they are due. */
export class FakeClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  /** Wall clock at the start, Unix milliseconds. */
  constructor(startMs = 1_700_000_000_000) {
    this.#wallMs = startMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  after(delayMs: number, callback: () => void): Cancel {
    return this.#add(delayMs, undefined, callback);
  }

  every(periodMs: number, callback: () => void): Cancel {
    return this.#add(Math.max(1, periodMs), Math.max(1, periodMs), callback);
  }

  /** Timers not yet fired or cancelled: 0 when nothing leaks. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves the wall clock alone, as an administrator or NTP would. */
  jump(byMs: number): void {
    this.#wallMs += byMs;
  }

  /** Moves time and runs what falls due, also timers added meanwhile. What promises do follows later. */
  advance(ms: number): void {
    const endMs = this.#monotonicMs + ms;
    for (let timer = this.#next(endMs); timer !== undefined; timer = this.#next(endMs)) this.#fire(timer);
    this.#moveTo(endMs);
  }

  /** As `advance`, but chains of promises run to their end before time moves on, and after. */
  async advanceSettling(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms;
    await settle();
    for (let timer = this.#next(endMs); timer !== undefined; timer = this.#next(endMs)) {
      this.#fire(timer);
      await settle();
    }
    this.#moveTo(endMs);
    await settle();
  }

  #add(delayMs: number, periodMs: number | undefined, callback: () => void): Cancel {
    this.#order += 1;
    const dueMs = this.#monotonicMs + Math.max(0, delayMs);
    const timer: Timer = { dueMs, order: this.#order, periodMs, callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  #next(endMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs > endMs) continue;
      if (first === undefined || timer.dueMs < first.dueMs) first = timer;
      else if (timer.dueMs === first.dueMs && timer.order < first.order) first = timer;
    }
    return first;
  }

  #fire(timer: Timer): void {
    this.#moveTo(timer.dueMs);
    if (timer.periodMs === undefined) this.#timers.delete(timer);
    else {
      this.#order += 1;
      timer.dueMs += timer.periodMs;
      timer.order = this.#order;
    }
    timer.callback();
  }

  #moveTo(monotonicMs: number): void {
    const stepMs = Math.max(0, monotonicMs - this.#monotonicMs);
    this.#monotonicMs += stepMs;
    this.#wallMs += stepMs;
  }
}
