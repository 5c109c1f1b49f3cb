import { CarillonError } from '@carillon/contract';
import type { Clock } from '@carillon/core';

/** What nobody goes on with for longer is forgotten. */
const idleMs = 15 * 60_000;
/** When there is no room, also what nobody went on with for this long: its client has probably gone. */
const quietMs = 60_000;
const mostAtOnce = 2;

interface OpenTransfer {
  readonly id: string;
  /** Of the monotonic clock, when it was last gone on with. */
  touchedMs: number;
  /** It is only kept for repeated requests, and makes room for any other. */
  isOver: boolean;
}

/** Exports or imports under way: a few at a time and none for long, since each holds memory. */
export class OpenTransfers<T extends OpenTransfer> {
  readonly #open = new Map<string, T>();
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #noun: string;

  constructor(clock: Pick<Clock, 'monotonicMs'>, noun: string) {
    this.#clock = clock;
    this.#noun = noun;
  }

  /** Those under way now. */
  *values(): IterableIterator<T> {
    this.#dropIdle();
    yield* this.#open.values();
  }

  /** Undefined when there is none, or when nobody went on with it for a quarter of an hour. */
  get(id: string): T | undefined {
    this.#dropIdle();
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
    this.#dropIdle();
    for (const [id, { isOver }] of this.#open) if (isOver) this.#open.delete(id);
    if (this.#open.size >= mostAtOnce) this.#drop(quietMs);
    if (this.#open.size < mostAtOnce) return;
    throw new CarillonError('unavailable', `Other ${this.#noun} are going on. Please try again in a minute.`);
  }

  #dropIdle(): void {
    if (this.#open.size > 0) this.#drop(idleMs);
  }

  #drop(untouchedForMs: number): void {
    const now = this.#clock.monotonicMs();
    for (const [id, { touchedMs }] of this.#open) {
      if (now - touchedMs > untouchedForMs) this.#open.delete(id);
    }
  }
}
