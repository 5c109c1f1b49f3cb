import { CarillonError } from '@carillon/contract';
import type { Clock, Credential, Digest, Random } from '@carillon/core';

/** Tokens that are good at a time; the oldest give way. */
const mostTokens = 10_000;
/** How long a token is good. */
const tokenMs = 3_600_000;
const tokenBytes = 32;

interface Grant {
  job: string;
  credential: Credential;
  untilMs: number;
}

/**
 * Tokens for links to the log of one job, which a browser can follow without a header (behaviour reference 2.2). A token
 * stands for whoever asked for it, with what that caller may at the time it is used (13 #24). Tokens end after an hour,
 * and with the term: they are kept in memory alone.
 */
export class LogTokens {
  readonly #deps: { clock: Clock; random: Random; digest: Digest };
  /** By the SHA-256 of the token, oldest first. */
  readonly #grants = new Map<string, Grant>();

  constructor(deps: { clock: Clock; random: Random; digest: Digest }) {
    this.#deps = deps;
  }

  issue(job: string, credential: Credential): string {
    const { clock, random, digest } = this.#deps;
    const token = random.hex(tokenBytes);
    const { kind, hash } = credential;
    const grant = { job, credential: { kind, hash }, untilMs: clock.monotonicMs() + tokenMs };
    this.#grants.set(digest.sha256(token), grant);
    for (const oldest of this.#grants.keys()) {
      if (this.#grants.size <= mostTokens) break;
      this.#grants.delete(oldest);
    }
    return token;
  }

  /** The credential a token stands for. Throws CarillonError `auth` when it is not good, or for another job. */
  redeem(job: string, token: string): Credential {
    const { clock, digest } = this.#deps;
    const grant = this.#grants.get(digest.sha256(token));
    if (grant === undefined || grant.job !== job || clock.monotonicMs() >= grant.untilMs) {
      throw new CarillonError('auth', 'Authentication failed.');
    }
    return grant.credential;
  }
}
