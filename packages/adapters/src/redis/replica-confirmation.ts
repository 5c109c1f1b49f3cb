import type { Redis } from 'ioredis';
import type { KeySpace } from './key-space.js';

/** A write that the master has, or may have, and that is not known to be on enough replicas. */
export class UnconfirmedWriteError extends Error {
  constructor(reason: string) {
    super(`The write is not known to be on the replicas of Redis: ${reason}`);
    this.name = 'UnconfirmedWriteError';
  }
}

/** How long replicas get; well below the time limit of a command, and below the life of a lease. */
const waitMs = 1_000;

/**
 * Lets writes count only when a number of replicas has them, so that they survive the loss of the master. Writes at the
 * same time share one question. 0 replicas: they count as soon as the master has them.
 */
export class ReplicaConfirmation {
  readonly #redis: Redis;
  readonly #marker: string;
  readonly #replicas: number;
  /** Connections lost so far. */
  #losses = 0;
  #asking: Promise<unknown> = Promise.resolve();
  #next: Promise<void> | undefined;

  /** `redis` is the client that writes. */
  constructor(redis: Redis, keys: Pick<KeySpace, 'confirmation'>, replicas: number) {
    this.#redis = redis;
    this.#marker = keys.confirmation;
    this.#replicas = replicas;
    if (replicas > 0) redis.on('close', () => this.#onClose());
  }

  /**
   * Resolves with what `write` does, when enough replicas have it. Rejects as `write` does, with Redis' own error, or
   * with UnconfirmedWriteError: then it may or may not last, as with a connection lost before the answer.
   */
  async confirmed<T>(write: () => Promise<T>): Promise<T> {
    if (this.#replicas === 0) return write();
    const losses = this.#losses;
    const result = await write();
    await this.#ask();
    // On another connection, perhaps to another master, the answer says nothing about this write.
    if (losses !== this.#losses) throw new UnconfirmedWriteError('the connection was lost meanwhile');
    return result;
  }

  /** Whatever was answered before this call is covered by the question that comes after the one under way. */
  #ask(): Promise<void> {
    this.#next ??= this.#asking.then(() => {
      this.#next = undefined;
      const asked = this.#count();
      this.#asking = asked.catch(() => undefined);
      return asked;
    });
    return this.#next;
  }

  async #count(): Promise<void> {
    // WAIT covers what its own connection wrote: a write that comes after all others covers them too.
    const [, count] = await Promise.all([
      this.#redis.incr(this.#marker),
      this.#redis.wait(this.#replicas, waitMs),
    ]);
    if (count < this.#replicas) {
      throw new UnconfirmedWriteError(`${count} of ${this.#replicas} have it after ${waitMs} ms`);
    }
  }

  #onClose(): void {
    this.#losses += 1;
  }
}
