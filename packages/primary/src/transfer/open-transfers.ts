import { CarillonError } from '@carillon/contract';
import type { Clock } from '@carillon/core';

/** What nobody goes on with for longer is forgotten. */
const idleMs = 15 * 60_000;
/** When there is no room, also what nobody went on with for this long: its client has probably gone. */
const quietMs = 60_000;
const mostAtOnce = 2;

interface OpenTransfer {
  readonly id: string;
  /** Of the monotonic clock, when it was last gone on with; 0 = it is over and only kept for repeated requests. */
  touchedMs: number;
}

/** Exports or imports under way: a few at a time, since each holds memory. */
export class OpenTransfers<T extends OpenTransfer> {
  readonly #open = new Map<string, T>();
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #noun: string;

  constructor(clock: Pick<Clock, 'monotonicMs'>, noun: string) {
    this.#clock = clock;
    this.#noun = noun;
  }

  get size(): number {
    return this.#open.size;
  }

  values(): IterableIterator<T> {
    return this.#open.values();
  }

  get(id: string): T | undefined {
    return this.#open.get(id);
  }

  add(transfer: T): void {
    this.#open.set(transfer.id, transfer);
  }

  delete(id: string): void {
    this.#open.delete(id);
  }

  /** Throws CarillonError `unavailable` when so many are going on that there is no room for another one. */
  makeRoom(): void {
    const now = this.#clock.monotonicMs();
    const limitMs = this.#open.size < mostAtOnce ? idleMs : quietMs;
    for (const [id, { touchedMs }] of this.#open) {
      if (touchedMs === 0 || now - touchedMs > limitMs) this.#open.delete(id);
    }
    if (this.#open.size < mostAtOnce) return;
    throw new CarillonError('unavailable', `Other ${this.#noun} are going on. Please try again in a minute.`);
  }
}
