import type { Acquired, Cancel, Lease, Logger, PrimaryInfo } from '@carillon/core';
import type { Redis } from 'ioredis';
import type { KeySpace } from '../redis/key-space.js';
import { prepareScript, type ScriptCall } from '../redis/redis-script.js';
import { acquireScript } from './lua/acquire.js';
import { renewScript } from './lua/renew.js';
import { resignScript } from './lua/resign.js';

export interface RedisLeaseDeps {
  /** Client for commands. */
  redis: Redis;
  /** Client for subscriptions; may be shared with other listeners. */
  subscriber: Redis;
  keys: KeySpace;
  log: Logger;
}

/** The lease as a key that expires; every step is one script. See `Lease` for the guarantees. */
export class RedisLease implements Lease {
  readonly #redis: Redis;
  readonly #subscriber: Redis;
  readonly #keys: KeySpace;
  readonly #log: Logger;
  readonly #acquire: ScriptCall;
  readonly #renew: ScriptCall;
  readonly #resign: ScriptCall;
  readonly #listeners = new Set<(holder: PrimaryInfo | undefined) => void>();
  #subscribed = false;

  constructor(deps: RedisLeaseDeps) {
    this.#redis = deps.redis;
    this.#subscriber = deps.subscriber;
    this.#keys = deps.keys;
    this.#log = deps.log;
    this.#acquire = prepareScript(deps.redis, acquireScript);
    this.#renew = prepareScript(deps.redis, renewScript);
    this.#resign = prepareScript(deps.redis, resignScript);
    deps.subscriber.on('message', (channel: string, message: string) => this.#onMessage(channel, message));
  }

  async acquire(token: string, candidate: Omit<PrimaryInfo, 'term'>, ttlMs: number): Promise<Acquired> {
    const { lease, term, primary, announcements } = this.#keys;
    const body = JSON.stringify({ id: candidate.id, hostname: candidate.hostname, url: candidate.url });
    const reply = await this.#acquire([lease, term, primary], token, ttlMs, body, announcements);
    const [held, newTerm, info]: unknown[] = Array.isArray(reply) ? reply : [];
    if (held === 1) return { held: true, term: Number(newTerm) };
    return { held: false, holder: parseHolder(info) };
  }

  async renew(token: string, ttlMs: number): Promise<boolean> {
    return (await this.#renew([this.#keys.lease], token, ttlMs)) === 1;
  }

  async resign(token: string): Promise<void> {
    await this.#resign([this.#keys.lease, this.#keys.primary], token, this.#keys.announcements);
  }

  async holder(): Promise<PrimaryInfo | undefined> {
    const [token, info] = await this.#redis.mget(this.#keys.lease, this.#keys.primary);
    return typeof token === 'string' ? parseHolder(info) : undefined;
  }

  observe(listener: (holder: PrimaryInfo | undefined) => void): Cancel {
    // A wrapper of its own, so that the same function may observe twice and be cancelled once.
    const entry = (holder: PrimaryInfo | undefined) => listener(holder);
    this.#listeners.add(entry);
    this.#subscribe();
    return () => {
      this.#listeners.delete(entry);
    };
  }

  /** Once; the client subscribes again by itself after each reconnection. */
  #subscribe(): void {
    if (this.#subscribed) return;
    this.#subscribed = true;
    this.#subscriber.subscribe(this.#keys.announcements).catch((error: unknown) => {
      this.#subscribed = false;
      this.#log.log('debug', 'Changes of the primary are not announced here', { error: String(error) });
    });
  }

  #onMessage(channel: string, message: string): void {
    if (channel !== this.#keys.announcements) return;
    const holder = parseHolder(message);
    for (const listener of [...this.#listeners]) listener(holder);
  }
}

/** Anything that is not the JSON of a holder counts as nobody. */
function parseHolder(text: unknown): PrimaryInfo | undefined {
  if (typeof text !== 'string' || text === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { id, hostname, url, term } = value as Partial<Record<string, unknown>>;
  if (typeof id !== 'string' || typeof hostname !== 'string') return undefined;
  if (typeof url !== 'string' || typeof term !== 'number') return undefined;
  return { id, hostname, url, term };
}
