import { createRedis, keySpace, MemoryLogger } from '@carillon/adapters';
import type { LateCommit } from '../checker/index.js';
import { RedisMonitor } from '../redis/index.js';

type Redis = ReturnType<typeof createRedis>;

const keys = keySpace();

/**
 * Sees every command that Redis executes, in its order: which terms begin, and which commits are applied under which
 * term. While Redis is away, or the connection to it, nothing is seen.
 */
export class CommitWatch {
  /** Commits that were applied although a later term had begun. */
  readonly late: LateCommit[] = [];
  commits = 0;
  terms = 0;
  readonly #redis: Redis;
  #monitor: RedisMonitor | undefined;
  #present = 0;
  #scriptTerm = 0;
  #tickMinute = 0;
  readonly #waiting = new Set<() => void>();

  private constructor(redis: Redis) {
    this.#redis = redis;
  }

  static async start(url: string): Promise<CommitWatch> {
    const redis = createRedis({ url, log: new MemoryLogger() }, 'subscribe');
    const watch = new CommitWatch(redis);
    watch.#monitor = await RedisMonitor.start(url, (words, source) => watch.#onCommand(words, source));
    watch.#present = Math.max(watch.#present, Number(await redis.get(keys.term)));
    return watch;
  }

  /** Resolves when all launches due up to this minute (Unix seconds) are done; answers the minute that was reached. */
  async waitForTick(minute: number): Promise<number> {
    this.#tickMinute = Math.max(this.#tickMinute, Number(await this.#redis.hget(keys.master, 'tick_minute')));
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.#tickMinute < minute) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
    return this.#tickMinute;
  }

  /** The activity log, newest first. */
  async activity(): Promise<Record<string, unknown>[]> {
    const rows = await this.#redis.lrange(keys.activity, 0, -1);
    return rows.map((row) => JSON.parse(row) as Record<string, unknown>);
  }

  close(): void {
    this.#monitor?.close();
    this.#redis.disconnect();
  }

  #onCommand(words: readonly string[], source: string): void {
    const [name = '', key, field, value] = words;
    const command = name.toUpperCase();
    if (source !== 'lua') {
      // EVALSHA, hash, count of keys, term key, other keys, term …
      if (key !== undefined && words[3] === keys.term) this.#scriptTerm = Number(words[3 + Number(field)]);
      return;
    }
    if (command === 'SET' && key === keys.term) {
      this.#present = Number(field);
      this.terms += 1;
    } else if (command === 'HSET' && key === keys.sequence && field === 'number') {
      this.commits += 1;
      if (this.#scriptTerm < this.#present)
        this.late.push({ term: this.#scriptTerm, present: this.#present });
    } else if (command === 'HSET' && key === keys.master && field === 'tick_minute') {
      this.#tickMinute = Number(value);
      for (const look of this.#waiting) look();
    }
  }
}
