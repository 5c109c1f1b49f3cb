/** How a lease of `ttlMs` is used; all values in milliseconds of monotonic time. */
export interface LeaseTiming {
  /** The holder renews this often. */
  renewEveryMs: number;
  /** A candidate tries this often, plus up to `jitterMs`. */
  tryEveryMs: number;
  jitterMs: number;
  /** The holder trusts its lease this long, counted from before the request that extended it. */
  trustMs: number;
}

/**
 * The holder stops trusting the lease a tenth before it can end in the store, and has two chances to renew
 * in that time. Candidates try often enough that the time to a new primary is the lease time and little more.
 */
export function leaseTiming(ttlMs: number): LeaseTiming {
  return {
    renewEveryMs: Math.floor(ttlMs / 3),
    tryEveryMs: Math.max(20, Math.min(200, Math.floor(ttlMs / 10))),
    jitterMs: Math.max(5, Math.floor(ttlMs / 50)),
    trustMs: Math.floor(ttlMs * 0.9),
  };
}
