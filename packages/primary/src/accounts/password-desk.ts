import { CarillonError } from '@carillon/contract';
import type { PasswordHash, PasswordHasher } from '@carillon/core';

/** Pieces of work that may wait; at some tenths of a second each, later ones would meet their time limit. */
const mostWaiting = 32;

/**
 * All work on passwords, one piece after the other: what a flood of logins costs the primary is one core and one hash's
 * memory, and attempts on one account cannot overtake the count of failures.
 */
export class PasswordDesk {
  readonly #hasher: PasswordHasher;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();
  #nobody: Promise<PasswordHash> | undefined;

  constructor(hasher: PasswordHasher) {
    this.#hasher = hasher;
  }

  /** Runs the work when its turn comes. Throws CarillonError `unavailable` when too much is waiting. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= mostWaiting) {
      throw new CarillonError('unavailable', 'Too many logins at the moment. Please repeat the request.');
    }
    this.#waiting += 1;
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Is it the password? Without a hash it is compared with one that nobody has, which costs as much. */
  async checks(password: string, hash: PasswordHash | undefined): Promise<boolean> {
    if (hash !== undefined) return this.#hasher.verify(password, hash);
    this.#nobody ??= this.#hasher.hash('nobody has this password');
    await this.#hasher.verify(password, await this.#nobody);
    return false;
  }

  /** The hash of a right password in the present method, when the stored one is outdated. */
  async renew(password: string, hash: PasswordHash): Promise<PasswordHash | undefined> {
    return this.#hasher.isOutdated(hash) ? this.#hasher.hash(password) : undefined;
  }

  /** A fresh hash, in its turn. */
  hash(password: string): Promise<PasswordHash> {
    return this.take(() => this.#hasher.hash(password));
  }
}
