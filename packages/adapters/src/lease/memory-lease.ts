import type { Acquired, Cancel, Clock, Lease, PrimaryInfo } from '@carillon/core';

interface Holding {
  token: string;
  /** Monotonic time. */
  endsAtMs: number;
  info: PrimaryInfo;
}

/** What several `MemoryLease`s share: the place of the real store in tests. */
export class MemoryLeaseBoard {
  /** Term of the latest holder; fences the writes of `MemoryStore`. */
  term = 0;
  readonly clock: Clock;
  readonly #listeners = new Set<(holder: PrimaryInfo | undefined) => void>();
  #holding: Holding | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** The present holding; ended ones are gone. */
  get holding(): Holding | undefined {
    const holding = this.#holding;
    return holding !== undefined && this.clock.monotonicMs() < holding.endsAtMs ? holding : undefined;
  }

  set holding(holding: Holding | undefined) {
    this.#holding = holding;
  }

  /** Ends the present holding as if its time were over: without an announcement. */
  expire(): void {
    this.#holding = undefined;
  }

  addListener(listener: (holder: PrimaryInfo | undefined) => void): Cancel {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Calls all listeners soon, as messages would arrive. */
  announce(holder: PrimaryInfo | undefined): void {
    queueMicrotask(() => {
      for (const listener of [...this.#listeners]) listener(holder);
    });
  }
}

/** The lease over a shared board, for tests and single-process use. See `Lease` for the guarantees. */
export class MemoryLease implements Lease {
  readonly #board: MemoryLeaseBoard;
  #outage: Error | undefined;

  constructor(board: MemoryLeaseBoard) {
    this.#board = board;
  }

  /** From now on every call of this instance rejects with the error; undefined ends the outage. */
  setOutage(error: Error | undefined): void {
    this.#outage = error;
  }

  async acquire(token: string, candidate: Omit<PrimaryInfo, 'term'>, ttlMs: number): Promise<Acquired> {
    this.#reach();
    const board = this.#board;
    const endsAtMs = board.clock.monotonicMs() + ttlMs;
    const present = board.holding;
    if (present?.token === token) {
      present.endsAtMs = endsAtMs;
      return { held: true, term: present.info.term };
    }
    if (present !== undefined) return { held: false, holder: { ...present.info } };
    board.term = Math.max(board.term + 1, Math.floor(board.clock.nowMs()));
    const { id, hostname, url } = candidate;
    const info: PrimaryInfo = { id, hostname, url, term: board.term };
    board.holding = { token, endsAtMs, info };
    board.announce({ ...info });
    return { held: true, term: info.term };
  }

  async renew(token: string, ttlMs: number): Promise<boolean> {
    this.#reach();
    const present = this.#board.holding;
    if (present?.token !== token) return false;
    present.endsAtMs = this.#board.clock.monotonicMs() + ttlMs;
    return true;
  }

  async resign(token: string): Promise<void> {
    this.#reach();
    if (this.#board.holding?.token !== token) return;
    this.#board.holding = undefined;
    this.#board.announce(undefined);
  }

  async holder(): Promise<PrimaryInfo | undefined> {
    this.#reach();
    const present = this.#board.holding;
    return present === undefined ? undefined : { ...present.info };
  }

  observe(listener: (holder: PrimaryInfo | undefined) => void): Cancel {
    return this.#board.addListener((holder) => listener(holder));
  }

  #reach(): void {
    if (this.#outage !== undefined) throw this.#outage;
  }
}
