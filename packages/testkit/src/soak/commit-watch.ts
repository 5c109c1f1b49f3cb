import { createRedis, keySpace, MemoryLogger } from '@carillon/adapters';
import type { LateCommit } from '../checker/index.js';
import { type OnCommand, type PrivateRedis, RedisMonitor } from '../redis/index.js';

type Redis = ReturnType<typeof createRedis>;
type Watched = Pick<PrivateRedis, 'servers' | 'holder'>;

const keys = keySpace();

/**
 * Sees every command that Redis executes, in the order of each server: which terms begin, and which commits are applied
 * under which term. While a server is away, or the connection to it, nothing is seen. Replicas only repeat what scripts
 * did at their master, and are not heard.
 */
export class CommitWatch {
  /** Commits that were applied although a later term had begun. */
  readonly late: LateCommit[] = [];
  commits = 0;
  terms = 0;
  readonly #redis: Watched;
  readonly #monitors: RedisMonitor[] = [];
  #present = 0;
  #tickMinute = 0;
  readonly #waiting = new Set<() => void>();

  private constructor(redis: Watched) {
    this.#redis = redis;
  }

  static async start(redis: Watched): Promise<CommitWatch> {
    const watch = new CommitWatch(redis);
    for (const url of redis.servers) watch.#monitors.push(await RedisMonitor.start(url, watch.#listener()));
    const term = await watch.#ask((holder) => holder.get(keys.term));
    watch.#present = Math.max(watch.#present, Number(term));
    return watch;
  }

  /** Resolves when all launches due up to this minute (Unix seconds) are done; answers the minute that was reached. */
  async waitForTick(minute: number): Promise<number> {
    const stored = await this.#ask((holder) => holder.hget(keys.master, 'tick_minute'));
    this.#tickMinute = Math.max(this.#tickMinute, Number(stored));
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
    const rows = await this.#ask((holder) => holder.lrange(keys.activity, 0, -1));
    return rows.map((row) => JSON.parse(row) as Record<string, unknown>);
  }

  close(): void {
    for (const monitor of this.#monitors) monitor.close();
  }

  /** Asks the server that has the keys. */
  async #ask<T>(question: (holder: Redis) => Promise<T>): Promise<T> {
    const holder = createRedis({ url: await this.#redis.holder(), log: new MemoryLogger() }, 'subscribe');
    try {
      return await question(holder);
    } finally {
      holder.disconnect();
    }
  }

  /** For one server. */
  #listener(): OnCommand {
    let scriptTerm = 0;
    return (words, source) => {
      const [, key, field] = words;
      if (source === 'lua') this.#onEffect(words, scriptTerm);
      // EVALSHA, hash, count of keys, term key, other keys, term …
      else if (key !== undefined && words[3] === keys.term) scriptTerm = Number(words[3 + Number(field)]);
    };
  }

  /** A command that a script with that term calls. */
  #onEffect(words: readonly string[], scriptTerm: number): void {
    const [name = '', key, field, value] = words;
    const command = name.toUpperCase();
    if (command === 'SET' && key === keys.term) {
      this.#present = Number(field);
      this.terms += 1;
    } else if (command === 'HSET' && key === keys.sequence && field === 'number') {
      this.commits += 1;
      if (scriptTerm < this.#present) this.late.push({ term: scriptTerm, present: this.#present });
    } else if (command === 'HSET' && key === keys.master && field === 'tick_minute') {
      this.#tickMinute = Number(value);
      for (const look of this.#waiting) look();
    }
  }
}
