/** How many may come at once, and how many a second in the long run. */
export interface BucketRule {
  /** Tokens that come back each second; above 0. */
  readonly perSec: number;
  /** Most tokens that are there at one time; at least 1. */
  readonly burst: number;
}

/** Tokens that were left at a moment of a monotonic clock, milliseconds. */
export interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** Tokens that are there by now. A clock that goes back brings none and takes none. */
export function tokensAt(rule: BucketRule, bucket: Bucket | undefined, nowMs: number): number {
  if (bucket === undefined) return rule.burst;
  const sinceMs = Math.max(0, nowMs - bucket.atMs);
  return Math.min(rule.burst, bucket.tokens + (sinceMs * rule.perSec) / 1000);
}

/** Milliseconds until a whole token is there; 0 when one is. */
export function waitForToken(rule: BucketRule, bucket: Bucket | undefined, nowMs: number): number {
  const missing = 1 - tokensAt(rule, bucket, nowMs);
  return missing <= 0 ? 0 : Math.ceil((missing * 1000) / rule.perSec);
}

/**
 * Takes a token. `waitMs` 0: it was there, and is gone now. Otherwise nothing was taken, and one will be there after
 * so many milliseconds. Within any stretch of `t` seconds no more than `burst + t × perSec` are given out.
 */
export function takeToken(
  rule: BucketRule,
  bucket: Bucket | undefined,
  nowMs: number,
): { bucket: Bucket; waitMs: number } {
  const tokens = tokensAt(rule, bucket, nowMs);
  const atMs = bucket === undefined ? nowMs : Math.max(nowMs, bucket.atMs);
  const waitMs = waitForToken(rule, bucket, nowMs);
  return { bucket: { tokens: waitMs === 0 ? Math.max(0, tokens - 1) : tokens, atMs }, waitMs };
}

/** Buckets by name. Holds at most `mostEntries`; the one that was unused for longest makes room, and is full again. */
export class BucketTable {
  readonly #rule: BucketRule;
  readonly #mostEntries: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rule: BucketRule, mostEntries: number) {
    this.#rule = rule;
    this.#mostEntries = mostEntries;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes a token of this name; answers the milliseconds to wait when there is none, else 0. */
  take(name: string, nowMs: number): number {
    const { bucket, waitMs } = takeToken(this.#rule, this.#buckets.get(name), nowMs);
    // The order of a Map is that of insertion: the first is the one unused for longest.
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > this.#mostEntries) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return waitMs;
  }

  /** The wait `take` would answer; takes nothing. */
  wait(name: string, nowMs: number): number {
    return waitForToken(this.#rule, this.#buckets.get(name), nowMs);
  }
}
