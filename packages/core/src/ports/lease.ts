import type { Cancel } from './clock.js';

/** Who holds the lease, as announced to everybody. */
export interface PrimaryInfo {
  /** Node id. */
  id: string;
  hostname: string;
  /** Advertised base URL, no trailing slash. */
  url: string;
  /** Grows with every change of primary, for ever. */
  term: number;
}

export type Acquired = { held: true; term: number } | { held: false; holder: PrimaryInfo | undefined };

/**
 * The lock that makes one node the primary. Each step is one atomic operation in the store.
 * A `token` is unique for each candidacy; acquire is idempotent per token (a repeated acquire after
 * a lost reply answers with the same term). Failures to reach the store are thrown.
 */
export interface Lease {
  /**
   * Takes the lease for `ttlMs` if it is free or already held under this token, with a new term if it
   * was free, and announces the holder to all observers.
   */
  acquire(token: string, candidate: Omit<PrimaryInfo, 'term'>, ttlMs: number): Promise<Acquired>;
  /** Extends the lease of exactly this token; false when it is no longer held. */
  renew(token: string, ttlMs: number): Promise<boolean>;
  /** Gives up the lease of exactly this token and announces it; harmless when not held. */
  resign(token: string): Promise<void>;
  /** The present holder, or undefined. */
  holder(): Promise<PrimaryInfo | undefined>;
  /**
   * Calls with each announced change: a new holder, or undefined after a resignation. Announcements may
   * be lost or repeated; `holder` is the truth.
   */
  observe(listener: (holder: PrimaryInfo | undefined) => void): Cancel;
}

/** Right to write as the primary: every primary-only call takes it and is refused when the term is over. */
export interface Session {
  readonly term: number;
  /** Aborted when the holder may no longer trust the lease. */
  readonly signal: AbortSignal;
}
