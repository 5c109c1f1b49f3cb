import { setImmediate } from 'node:timers/promises';
import type { DeliveryRow, HistoryRow, JobFields, RunRef } from '@carillon/contract';
import {
  type ActivityEntry,
  type Change,
  type ClusterState,
  FencedError,
  type Page,
  type PastChange,
  type PastList,
  type Revocation,
  type Session,
  type Store,
  type StoreUpkeep,
} from '@carillon/core';
import type { Redis } from 'ioredis';
import type { KeySpace } from '../redis/key-space.js';
import { prepareScript, type ScriptCall } from '../redis/redis-script.js';
import { ReplicaConfirmation } from '../redis/replica-confirmation.js';
import { changeCommands, encodeCommands, keysOf } from './change-commands.js';
import { CommitSequence, LostCommitError } from './commit-sequence.js';
import { beginScript } from './lua/begin.js';
import { commitScript } from './lua/commit.js';
import { revokeScript } from './lua/revoke.js';
import { stageScript } from './lua/stage.js';
import { parse, readState } from './read-state.js';
import { rebuildState } from './stored-state.js';
import { pastListKey, transferLifeSec } from './transfer/transfer-commands.js';
import { RedisStoreUpkeep } from './upkeep/redis-store-upkeep.js';

/**
 * The durable truth in Redis. With `replicas` above 0, commits count only when so many replicas have them. They go over one connection in the order of the calls without waiting for each
 * other; one script applies each of them whole, once, and only in its term. What was in flight when a commit failed
 * resolves by what really happened to it; every commit called afterwards rejects. Calls fail within the command
 * timeout of the client. One commit takes up to about 100,000 changes.
 */
export class RedisStore implements Store {
  readonly upkeep: StoreUpkeep;
  readonly #redis: Redis;
  readonly #keys: KeySpace;
  readonly #begin: ScriptCall;
  readonly #commit: ScriptCall;
  readonly #revoke: ScriptCall;
  readonly #confirmation: ReplicaConfirmation;
  readonly #stage: ScriptCall;
  /** Keys of the commands that were put aside, by stage: the commit that applies them has to declare them. */
  readonly #stagedKeys = new Map<string, Set<string>>();
  #sequence: CommitSequence | undefined;

  /** `redis` is a client for commands. */
  constructor({ redis, keys, replicas = 0 }: { redis: Redis; keys: KeySpace; replicas?: number }) {
    this.#redis = redis;
    this.#keys = keys;
    this.#confirmation = new ReplicaConfirmation(redis, keys, replicas);
    this.upkeep = new RedisStoreUpkeep(redis, keys);
    this.#begin = prepareScript(redis, beginScript);
    this.#commit = prepareScript(redis, commitScript);
    this.#revoke = prepareScript(redis, revokeScript);
    this.#stage = prepareScript(redis, stageScript);
  }

  async load(session: Session): Promise<ClusterState> {
    refuseEnded(session);
    const { term, sequence, loads } = this.#keys;
    const name = await this.#begin([term, sequence, loads], session.term);
    if (name === 'FENCED') throw new FencedError(session.term);
    const state = await rebuildState(await readState(this.#redis, this.#keys), () => setImmediate());
    // Had another primary begun to write while this was read, the state would be of two times.
    if ((await this.#redis.get(term)) !== String(session.term)) throw new FencedError(session.term);
    this.#sequence = new CommitSequence(session.term, String(name));
    this.#stagedKeys.clear();
    return state;
  }

  async commit(session: Session, changes: readonly Change[]): Promise<void> {
    const sequence = this.#sequenceOf(session);
    const commands = changes.flatMap((change) => changeCommands(change, this.#keys));
    const words = encodeCommands(commands);
    const keys = [
      this.#keys.term,
      this.#keys.sequence,
      ...keysOf(commands),
      ...this.#takeStagedKeys(changes),
    ];
    // From here to the call nothing waits: numbers and calls have the same order.
    const number = sequence.take();
    let answer: unknown;
    try {
      answer = await this.#confirmation.confirmed(() =>
        this.#commit(keys, session.term, sequence.session, number, words),
      );
    } catch (error) {
      throw sequence.fail(error);
    }
    const failure = sequence.judge(answer);
    if (failure !== undefined) throw failure;
  }

  async revoke(session: Session, run: RunRef): Promise<Revocation> {
    refuseEnded(session);
    const reply = await this.#revoke([this.#keys.term, this.#keys.runs], session.term, run.job, run.attempt);
    const [kind, boot]: unknown[] = Array.isArray(reply) ? reply : [];
    if (kind === 'FENCED') throw new FencedError(session.term);
    if (kind === 'claimed') return { kind, boot: String(boot) };
    return { kind: kind === 'revoked' ? 'revoked' : 'absent' };
  }

  async stage(
    session: Session,
    stage: string,
    piece: number,
    changes: readonly PastChange[],
  ): Promise<number> {
    refuseEnded(session);
    const commands = changes.flatMap((change) => changeCommands(change, this.#keys));
    // An empty list and an empty object are the same to Lua, and to its JSON.
    const text = JSON.stringify(commands.length === 0 ? [['PING']] : commands);
    const keys = [this.#keys.term, this.#keys.stage(stage)];
    const answer = await this.#stage(keys, session.term, piece, text, transferLifeSec);
    if (answer === 'FENCED') throw new FencedError(session.term);
    const staged = this.#stagedKeys.get(stage) ?? new Set();
    for (const key of keysOf(commands)) staged.add(key);
    this.#stagedKeys.set(stage, staged);
    return text.length;
  }

  async unstage(stage: string): Promise<void> {
    this.#stagedKeys.delete(stage);
    await this.#redis.unlink(this.#keys.stage(stage));
  }

  readCopy(copy: string, from: PastList, offset: number, limit: number): Promise<Page<object>> {
    const key = this.#keys.copy(copy, pastListKey(from, this.#keys));
    return this.#readPage<object>(key, offset, limit);
  }

  async readJob(id: string): Promise<JobFields | undefined> {
    const key = this.#keys.job(id);
    const json = await this.#redis.get(key);
    return json === null ? undefined : parse<JobFields>(json, key);
  }

  readHistory(event: string | undefined, offset: number, limit: number): Promise<Page<HistoryRow>> {
    const list = event === undefined ? this.#keys.history : this.#keys.historyOf(event);
    return this.#readPage<HistoryRow>(list, offset, limit);
  }

  readActivity(offset: number, limit: number): Promise<Page<ActivityEntry>> {
    return this.#readPage<ActivityEntry>(this.#keys.activity, offset, limit);
  }

  readDeliveries(offset: number, limit: number): Promise<Page<DeliveryRow>> {
    return this.#readPage<DeliveryRow>(this.#keys.deliveryRows, offset, limit);
  }

  async checkHealth(): Promise<void> {
    await this.#redis.set(this.#keys.health, '1', 'PX', 60_000);
  }

  async #readPage<T>(list: string, offset: number, limit: number): Promise<Page<T>> {
    // Both at once: one round trip.
    const [rows, length] = await Promise.all([
      this.#redis.lrange(list, offset, offset + limit - 1),
      this.#redis.llen(list),
    ]);
    return { rows: rows.map((json) => parse<T>(json, list)), length };
  }

  /** Those of the changes put aside that the commit begins with, if it does. */
  #takeStagedKeys([first]: readonly Change[]): Iterable<string> {
    if (first?.type !== 'staged') return [];
    const staged = this.#stagedKeys.get(first.stage) ?? [];
    this.#stagedKeys.delete(first.stage);
    return staged;
  }

  #sequenceOf(session: Session): CommitSequence {
    refuseEnded(session);
    const sequence = this.#sequence;
    if (sequence?.term === session.term) return sequence;
    if (sequence !== undefined && sequence.term > session.term) throw new FencedError(session.term);
    throw new LostCommitError('the state of this term has not been loaded');
  }
}

/** Saves the way to Redis when the holder itself no longer trusts the lease. */
function refuseEnded(session: Session): void {
  if (session.signal.aborted) throw new FencedError(session.term);
}
