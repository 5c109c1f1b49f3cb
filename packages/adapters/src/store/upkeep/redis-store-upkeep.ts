import type { HistoryRow, JobFields } from '@carillon/contract';
import { FencedError, type OldestRows, type RecordEnd, type Session, type StoreUpkeep } from '@carillon/core';
import type { Redis } from 'ioredis';
import type { KeySpace } from '../../redis/key-space.js';
import { prepareScript, type ScriptCall } from '../../redis/redis-script.js';
import { keepRecordsScript } from '../lua/keep-records.js';
import { noteExpireDaysScript } from '../lua/note-expire-days.js';
import { removeRowsScript } from '../lua/remove-rows.js';
import { trimHistoryScript } from '../lua/trim-history.js';
import { parse } from '../read-state.js';

/** The year 2200: Redis refuses times that overflow its clock. */
const latestSec = 7_258_118_400;

/** Upkeep as small scripts, each fenced by the term. See `StoreUpkeep` for the guarantees. */
export class RedisStoreUpkeep implements StoreUpkeep {
  readonly #redis: Redis;
  readonly #keys: KeySpace;
  readonly #trim: ScriptCall;
  readonly #remove: ScriptCall;
  readonly #keep: ScriptCall;
  readonly #note: ScriptCall;

  constructor(redis: Redis, keys: KeySpace) {
    this.#redis = redis;
    this.#keys = keys;
    this.#trim = prepareScript(redis, trimHistoryScript);
    this.#remove = prepareScript(redis, removeRowsScript);
    this.#keep = prepareScript(redis, keepRecordsScript);
    this.#note = prepareScript(redis, noteExpireDaysScript);
  }

  trimHistory(session: Session, event: string | undefined, rowMax: number, atMost: number): Promise<number> {
    const keys = [this.#keys.term, this.#listOf(event)];
    return fenced(session, () => this.#trim(keys, session.term, Math.floor(rowMax), atMost));
  }

  async readOldest(event: string | undefined, { skip, limit }: OldestRows): Promise<HistoryRow[]> {
    const list = this.#listOf(event);
    const rows = await this.#redis.lrange(list, -(skip + limit), -(skip + 1));
    return rows.reverse().map((json) => parse<HistoryRow>(json, list));
  }

  removeRows(
    session: Session,
    event: string | undefined,
    { skip, limit }: OldestRows,
    rows: readonly HistoryRow[],
  ): Promise<number> {
    const keys = [this.#keys.term, this.#listOf(event)];
    // What was parsed from JSON has the same text again.
    const texts = rows.map((row) => JSON.stringify(row));
    return fenced(session, () => this.#remove(keys, session.term, skip, limit, texts));
  }

  async readRecords(
    cursor: string | undefined,
    limit: number,
  ): Promise<{ records: JobFields[]; next: string | undefined }> {
    const pattern = this.#keys.job('*');
    const [next, found] = await this.#redis.scan(cursor ?? '0', 'MATCH', pattern, 'COUNT', limit);
    const texts = found.length === 0 ? [] : await this.#redis.mget(found);
    const records = texts.flatMap((json, index) =>
      json === null ? [] : [parse<JobFields>(json, found[index] ?? pattern)],
    );
    return { records, next: next === '0' ? undefined : next };
  }

  async keepRecords(session: Session, ends: readonly RecordEnd[]): Promise<void> {
    const pairs = ends.flatMap(({ job, untilSec }) => [
      this.#keys.job(job),
      String(Math.min(latestSec, Math.max(1, Math.ceil(untilSec)))),
    ]);
    const records = ends.map(({ job }) => this.#keys.job(job));
    await fenced(session, () => this.#keep([this.#keys.term, ...records], session.term, pairs));
  }

  async readExpireDays(): Promise<number | undefined> {
    const text = await this.#redis.hget(this.#keys.master, 'expire_days');
    return text === null ? undefined : Number(text);
  }

  async noteExpireDays(session: Session, days: number): Promise<void> {
    const keys = [this.#keys.term, this.#keys.master];
    await fenced(session, () => this.#note(keys, session.term, days));
  }

  #listOf(event: string | undefined): string {
    return event === undefined ? this.#keys.history : this.#keys.historyOf(event);
  }
}

/** The number a script answers. Throws FencedError when it, or the session, says that the term is over. */
async function fenced(session: Session, call: () => Promise<unknown>): Promise<number> {
  if (session.signal.aborted) throw new FencedError(session.term);
  const answer = await call();
  if (answer === 'FENCED') throw new FencedError(session.term);
  return Number(answer);
}
