import type { LogArchive, Random } from '@carillon/core';
import type { Cluster, Redis } from 'ioredis';
import type { ReplicaConfirmation } from '../redis/replica-confirmation.js';
import { inPieces } from './pieces.js';

/** Bytes of one piece, the most that is held in memory for each put or get. */
const pieceBytes = 256 * 1024;
/** Pieces of a replaced log stay this long for readers that are still at it. */
const lingerSec = 60;
/** Pieces outlive their head, so that a reader who found the head finds them all; covers a slow put as well. */
const pieceExtraSec = 3_600;
/** A century; Redis refuses times that overflow its clock. */
const longestKeepSec = 3_155_760_000;
/** The year 2200: Redis refuses times that overflow its clock. */
const latestSec = 7_258_118_400;
/** Pieces whose expiry is set in one round trip. */
const expireAtOnce = 500;

type Head = { generation: string; pieces: number } | { data: Buffer };

/**
 * Logs in Redis. `<prefix>:log:<job>` is a hash: a log of one piece is in it whole (`data`), a longer one is named by
 * it (`generation`, `pieces`) and lies in `<prefix>:log:<job>:<generation>:<n>`. Pieces are written under a fresh
 * generation first and the head is switched in one step, so that readers see the old log or the new one. Everything
 * carries an expiry, also what a crashed put leaves behind.
 */
export class RedisLogArchive implements LogArchive {
  readonly #redis: Redis | Cluster;
  readonly #prefix: string;
  readonly #random: Random;
  readonly #confirmation: ReplicaConfirmation | undefined;

  /** With a confirmation over the same client, a put counts only when the replicas have it. */
  constructor(redis: Redis | Cluster, prefix: string, random: Random, confirmation?: ReplicaConfirmation) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#random = random;
    this.#confirmation = confirmation;
  }

  async put(job: string, chunks: AsyncIterable<Uint8Array>, expireSec: number): Promise<void> {
    const put = () => this.#put(job, chunks, expireSec);
    await (this.#confirmation?.confirmed(put) ?? put());
  }

  async #put(job: string, chunks: AsyncIterable<Uint8Array>, expireSec: number): Promise<void> {
    const keepSec = Math.min(longestKeepSec, Math.max(1, Math.ceil(expireSec)));
    const generation = this.#random.hex(8);
    let first: Buffer | undefined;
    let pieces = 0;
    const add = async (piece: Buffer): Promise<void> => {
      await this.#redis.set(this.#pieceKey(job, generation, pieces), piece, 'EX', keepSec + pieceExtraSec);
      pieces += 1;
    };
    try {
      for await (const piece of inPieces(chunks, pieceBytes)) {
        if (first === undefined) first = piece;
        else {
          if (pieces === 0) await add(first);
          await add(piece);
        }
      }
      await this.#switchHead(
        job,
        pieces === 0 ? { data: first ?? Buffer.alloc(0) } : { generation, pieces },
        keepSec,
      );
    } catch (error) {
      await this.#letGo(job, generation, pieces, 0).catch(() => undefined);
      throw error;
    }
  }

  async get(job: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const head = await this.#readHead(job);
    if (head === undefined) return undefined;
    return 'data' in head ? single(head.data) : this.#readPieces(job, head.generation, head.pieces);
  }

  async remove(job: string): Promise<void> {
    const head = await this.#readHead(job);
    await this.#redis.del(this.#headKey(job));
    await this.#letGoOf(job, head);
  }

  async keepUntil(job: string, untilSec: number): Promise<void> {
    const head = await this.#readHead(job);
    if (head === undefined) return;
    const until = Math.min(latestSec, Math.max(1, Math.ceil(untilSec)));
    if ('generation' in head) await this.#keepPieces(job, head, until + pieceExtraSec);
    // The pieces come first when life is prolonged, and outlive the head as ever.
    await this.#redis.expireat(this.#headKey(job), until);
  }

  /** Nothing is left to do: the keys expire. */
  sweep(): Promise<number> {
    return Promise.resolve(0);
  }

  async #keepPieces(
    job: string,
    { generation, pieces }: { generation: string; pieces: number },
    untilSec: number,
  ): Promise<void> {
    for (let start = 0; start < pieces; start += expireAtOnce) {
      const batch = this.#redis.pipeline();
      for (let n = start; n < Math.min(pieces, start + expireAtOnce); n += 1) {
        batch.expireat(this.#pieceKey(job, generation, n), untilSec);
      }
      const failed = (await batch.exec())?.find(([error]) => error !== null)?.[0];
      if (failed) throw failed;
    }
  }

  async #switchHead(job: string, head: Head, keepSec: number): Promise<void> {
    const old = await this.#readHead(job);
    const key = this.#headKey(job);
    const replies = await this.#redis.multi().del(key).hset(key, head).expire(key, keepSec).exec();
    const failed = replies?.find(([error]) => error !== null)?.[0];
    if (replies === null || failed) throw failed ?? new Error('The log archive refused the switch');
    // The log is in place; what is left of the old one expires by itself if this fails.
    await this.#letGoOf(job, old).catch(() => undefined);
  }

  async #readHead(job: string): Promise<Head | undefined> {
    const [data, generation, pieces] = await this.#redis.hmgetBuffer(
      this.#headKey(job),
      'data',
      'generation',
      'pieces',
    );
    if (data) return { data };
    if (generation && pieces) return { generation: generation.toString(), pieces: Number(pieces.toString()) };
    return undefined;
  }

  /** A log that is replaced or removed meanwhile can be read for a minute more; then this throws. */
  async *#readPieces(job: string, generation: string, pieces: number): AsyncGenerator<Uint8Array> {
    for (let n = 0; n < pieces; n += 1) {
      const piece = await this.#redis.getBuffer(this.#pieceKey(job, generation, n));
      if (piece === null) throw new Error(`The log of job ${job} was removed while it was read`);
      yield piece;
    }
  }

  async #letGoOf(job: string, head: Head | undefined): Promise<void> {
    if (head !== undefined && 'generation' in head) {
      await this.#letGo(job, head.generation, head.pieces, lingerSec);
    }
  }

  async #letGo(job: string, generation: string, pieces: number, afterSec: number): Promise<void> {
    for (let start = 0; start < pieces; start += expireAtOnce) {
      const batch = this.#redis.pipeline();
      for (let n = start; n < Math.min(pieces, start + expireAtOnce); n += 1) {
        batch.expire(this.#pieceKey(job, generation, n), afterSec);
      }
      await batch.exec();
    }
  }

  #headKey(job: string): string {
    return `${this.#prefix}:log:${job}`;
  }

  #pieceKey(job: string, generation: string, n: number): string {
    return `${this.#headKey(job)}:${generation}:${n}`;
  }
}

async function* single(data: Buffer): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(data);
}
