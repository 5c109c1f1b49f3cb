import type { Random } from '@carillon/core';

/** Repeatable randomness for tests: Marsaglia's 32-bit xorshift (13, 17, 5). Not for secrets. */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed = 1) {
    // Zero is the one state xorshift never leaves.
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
  }

  integer(bound: number): number {
    const high = this.#next() >>> 6;
    const low = this.#next() >>> 5;
    return Math.floor(((high * 2 ** 27 + low) / 2 ** 53) * bound);
  }

  hex(bytes: number): string {
    let text = '';
    for (let n = 0; n < bytes; n += 1) text += (this.#next() >>> 24).toString(16).padStart(2, '0');
    return text;
  }

  #next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }
}
