import type { RunRef } from '@carillon/contract';
import type { ActiveJob, ClaimOutcome, RunClaims } from '@carillon/core';
import type { Redis } from 'ioredis';
import type { KeySpace } from '../redis/key-space.js';
import { prepareScript, type ScriptCall } from '../redis/redis-script.js';
import { ReplicaConfirmation } from '../redis/replica-confirmation.js';
import { claimScript } from './lua/claim.js';
import { parse } from './read-state.js';
import { claimedPrefix, refuseClaim } from './run-entry.js';

/**
 * Claims as one script over the runs in Redis, which count only when so many `replicas` have them. See `RunClaims` for
 * the guarantees.
 */
export class RedisRunClaims implements RunClaims {
  readonly #redis: Redis;
  readonly #keys: KeySpace;
  readonly #claim: ScriptCall;
  readonly #confirmation: ReplicaConfirmation;

  /** `redis` is a client for commands. */
  constructor({ redis, keys, replicas = 0 }: { redis: Redis; keys: KeySpace; replicas?: number }) {
    this.#redis = redis;
    this.#keys = keys;
    this.#confirmation = new ReplicaConfirmation(redis, keys, replicas);
    this.#claim = prepareScript(redis, claimScript);
  }

  async claim(run: RunRef, worker: { node: string; boot: string; nonce: string }): Promise<ClaimOutcome> {
    const { runs, jobs } = this.#keys;
    const { node, boot, nonce } = worker;
    const reply = await this.#confirmation.confirmed(() =>
      this.#claim([runs, jobs], run.job, run.attempt, node, boot, nonce),
    );
    const [claimed, detail]: unknown[] = Array.isArray(reply) ? reply : [];
    if (claimed !== 1) return refuseClaim(detail);
    return { claimed: true, job: parse<ActiveJob>(String(detail), `${jobs} ${run.job}`).fields };
  }

  async isCurrent(run: RunRef): Promise<boolean> {
    const text = await this.#redis.hget(this.#keys.runs, run.job);
    return text?.startsWith(claimedPrefix(run.attempt)) === true;
  }
}
