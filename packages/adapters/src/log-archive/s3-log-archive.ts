import { Readable } from 'node:stream';
import type { Clock, LogArchive } from '@carillon/core';
import { endOfLife, expiryDay, isPastDay, nameOf, wholeSec } from './expiry-days.js';
import { inPieces } from './pieces.js';

type Sdk = typeof import('./s3-sdk.js');
type Client = InstanceType<Sdk['S3Client']>;

/** Where in S3 the logs are. Credentials come from the environment in the ways of the AWS SDK. */
export interface S3Place {
  bucket: string;
  /** First part of every key: '' or ending in a slash. */
  prefix: string;
  /** Of an S3-compatible server; undefined: Amazon's own. */
  endpoint?: string | undefined;
  /** Undefined: as the SDK finds it, `us-east-1` with an endpoint. */
  region?: string | undefined;
}

/** The smallest part S3 takes, and the most of a log that is held in memory, twice for a moment. */
const partBytes = 5 * 1024 * 1024;
const connectWithinMs = 5_000;
/** Time for a request without a body, all its repetitions included. */
const askWithinMs = 15_000;
/** Time for the upload of one part, or a copy within the bucket. */
const moveWithinMs = 60_000;
/** A download that brings nothing for this long is given up. */
const stalledMs = 30_000;
/** Name of the metadata that says when a log expires, Unix seconds. */
const untilKey = 'carillon-until';

/**
 * Logs in a bucket of S3 or a compatible server: `<prefix>logs/<job>.gz` with the end of its life as metadata. What
 * comes to its end on a day is listed under `<prefix>expiry/<day>/<job>`, for the sweep; entries may be out of date,
 * the log decides. Logs of up to 5 MiB are one request, longer ones are uploaded in parts; either way S3 shows an object
 * whole or not at all.
 */
export class S3LogArchive implements LogArchive {
  readonly #sdk: Sdk;
  readonly #client: Client;
  readonly #place: S3Place;
  readonly #clock: Clock;

  private constructor(sdk: Sdk, place: S3Place, clock: Clock) {
    const { endpoint, region } = place;
    this.#sdk = sdk;
    this.#place = place;
    this.#clock = clock;
    this.#client = new sdk.S3Client({
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true, region: region ?? 'us-east-1' }),
      ...(region === undefined ? {} : { region }),
      // Compatible servers do not know the newer check sums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: connectWithinMs },
    });
  }

  /**
   * Loads the SDK, which no other process needs to carry. Asks nothing of the server. Rejects with a message for people
   * when no region is known.
   */
  static async open(place: S3Place, clock: Clock): Promise<S3LogArchive> {
    const archive = new S3LogArchive(await import('./s3-sdk.js'), place, clock);
    try {
      await archive.#client.config.region();
    } catch {
      throw new Error(`The log archive s3://${place.bucket} needs a region: add ?region=… or set AWS_REGION`);
    }
    return archive;
  }

  async put(job: string, chunks: AsyncIterable<Uint8Array>, expireSec: number): Promise<void> {
    const untilSec = endOfLife(this.#clock.nowMs(), expireSec);
    const pieces = inPieces(chunks, partBytes);
    try {
      const first = await pieces.next();
      const second = first.done === true ? first : await pieces.next();
      // Listed first: a log that is not listed would stay for ever.
      await this.#list(job, untilSec);
      if (first.done === true) await this.#putWhole(job, untilSec, Buffer.alloc(0));
      else if (second.done === true) await this.#putWhole(job, untilSec, first.value);
      else await this.#putParts(job, untilSec, resumed(first.value, second.value, pieces));
    } finally {
      await pieces.return(undefined);
    }
  }

  async get(job: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const untilSec = await this.#untilOf(job);
    if (untilSec === undefined || untilSec * 1000 <= this.#clock.nowMs()) return undefined;
    return this.#download(job);
  }

  async remove(job: string): Promise<void> {
    const untilSec = await this.#untilOf(job);
    if (untilSec === undefined) return;
    await this.#delete(this.#logKey(job));
    if (Number.isFinite(untilSec)) await this.#delete(this.#entryKey(job, untilSec));
  }

  async keepUntil(job: string, untilSec: number): Promise<void> {
    const before = await this.#untilOf(job);
    const until = wholeSec(untilSec);
    // An object without our metadata is none of ours.
    if (before === undefined || !Number.isFinite(before) || before === until) return;
    await this.#list(job, until);
    // Metadata cannot be changed in place: S3 copies the object onto itself.
    const source = [this.#place.bucket, ...this.#logKey(job).split('/')].map(encodeURIComponent).join('/');
    const command = new this.#sdk.CopyObjectCommand({
      ...this.#described(job, until),
      CopySource: source,
      MetadataDirective: 'REPLACE',
    });
    await this.#limited(moveWithinMs, (abortSignal) => this.#client.send(command, { abortSignal }));
    if (expiryDay(before) !== expiryDay(until)) await this.#delete(this.#entryKey(job, before));
  }

  async sweep(limit: number): Promise<number> {
    const folder = `${this.#place.prefix}expiry/`;
    const command = new this.#sdk.ListObjectsV2Command({
      Bucket: this.#place.bucket,
      Prefix: folder,
    });
    const page = await this.#limited(askWithinMs, (abortSignal) =>
      this.#client.send(command, { abortSignal }),
    );
    let done = 0;
    for (const { Key: key = '' } of (page.Contents ?? []).slice(0, limit)) {
      const [day = '', name = ''] = key.slice(folder.length).split('/');
      // Keys come in order, so all that follow are of later days.
      if (!isPastDay(day, this.#clock.nowMs())) break;
      const job = decodeURIComponent(name);
      const untilSec = await this.#untilOf(job);
      if (untilSec !== undefined && untilSec * 1000 <= this.#clock.nowMs()) {
        await this.#delete(this.#logKey(job));
      }
      await this.#delete(key);
      done += 1;
    }
    return done;
  }

  /** Closes the connections. */
  close(): void {
    this.#client.destroy();
  }

  async #putWhole(job: string, untilSec: number, body: Buffer): Promise<void> {
    const command = new this.#sdk.PutObjectCommand({ ...this.#described(job, untilSec), Body: body });
    await this.#limited(moveWithinMs, (abortSignal) => this.#client.send(command, { abortSignal }));
  }

  async #putParts(job: string, untilSec: number, pieces: AsyncIterable<Buffer>): Promise<void> {
    const where = { Bucket: this.#place.bucket, Key: this.#logKey(job) };
    const create = new this.#sdk.CreateMultipartUploadCommand(this.#described(job, untilSec));
    const { UploadId: id } = await this.#limited(askWithinMs, (abortSignal) =>
      this.#client.send(create, { abortSignal }),
    );
    try {
      const parts: { ETag: string | undefined; PartNumber: number }[] = [];
      for await (const piece of pieces) {
        const number = parts.length + 1;
        const part = new this.#sdk.UploadPartCommand({
          ...where,
          UploadId: id,
          PartNumber: number,
          Body: piece,
        });
        const { ETag } = await this.#limited(moveWithinMs, (abortSignal) =>
          this.#client.send(part, { abortSignal }),
        );
        parts.push({ ETag, PartNumber: number });
      }
      const complete = new this.#sdk.CompleteMultipartUploadCommand({
        ...where,
        UploadId: id,
        MultipartUpload: { Parts: parts },
      });
      await this.#limited(moveWithinMs, (abortSignal) => this.#client.send(complete, { abortSignal }));
    } catch (error) {
      const abort = new this.#sdk.AbortMultipartUploadCommand({ ...where, UploadId: id });
      await this.#limited(askWithinMs, (abortSignal) => this.#client.send(abort, { abortSignal })).catch(
        () => undefined,
      );
      throw error;
    }
  }

  async *#download(job: string): AsyncGenerator<Uint8Array> {
    const command = new this.#sdk.GetObjectCommand({ Bucket: this.#place.bucket, Key: this.#logKey(job) });
    const { Body: body } = await this.#limited(askWithinMs, (abortSignal) =>
      this.#client.send(command, { abortSignal }),
    );
    if (!(body instanceof Readable)) throw new Error(`The log of job ${job} came without a body`);
    try {
      const chunks = body[Symbol.asyncIterator]();
      for (;;) {
        const cancel = this.#clock.after(stalledMs, () =>
          body.destroy(new Error(`The log of job ${job} does not arrive`)),
        );
        const next: IteratorResult<unknown> = await chunks.next().finally(cancel);
        if (next.done === true) return;
        if (next.value instanceof Uint8Array) yield next.value;
      }
    } finally {
      body.destroy();
    }
  }

  /** When the job's log ends; Infinity for an object that was put there by others; undefined when there is none. */
  async #untilOf(job: string): Promise<number | undefined> {
    const command = new this.#sdk.HeadObjectCommand({ Bucket: this.#place.bucket, Key: this.#logKey(job) });
    try {
      const head = await this.#limited(askWithinMs, (abortSignal) =>
        this.#client.send(command, { abortSignal }),
      );
      const text = head.Metadata?.[untilKey];
      return text !== undefined && /^\d+$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
    } catch (error) {
      if (error instanceof this.#sdk.S3ServiceException && error.$metadata.httpStatusCode === 404) {
        return undefined;
      }
      throw error;
    }
  }

  async #list(job: string, untilSec: number): Promise<void> {
    const command = new this.#sdk.PutObjectCommand({
      Bucket: this.#place.bucket,
      Key: this.#entryKey(job, untilSec),
      Body: Buffer.alloc(0),
    });
    await this.#limited(askWithinMs, (abortSignal) => this.#client.send(command, { abortSignal }));
  }

  async #delete(key: string): Promise<void> {
    const command = new this.#sdk.DeleteObjectCommand({ Bucket: this.#place.bucket, Key: key });
    await this.#limited(askWithinMs, (abortSignal) => this.#client.send(command, { abortSignal }));
  }

  /** Rejects when the request, repetitions included, takes longer than `withinMs`. */
  async #limited<T>(withinMs: number, request: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const cancel = this.#clock.after(withinMs, () => controller.abort());
    try {
      return await request(controller.signal);
    } catch (error) {
      if (controller.signal.aborted) throw new Error(`The log archive did not answer within ${withinMs} ms`);
      throw error;
    } finally {
      cancel();
    }
  }

  #described(job: string, untilSec: number) {
    return {
      Bucket: this.#place.bucket,
      Key: this.#logKey(job),
      ContentType: 'application/gzip',
      Metadata: { [untilKey]: String(untilSec) },
    };
  }

  #logKey(job: string): string {
    return `${this.#place.prefix}logs/${nameOf(job)}.gz`;
  }

  #entryKey(job: string, untilSec: number): string {
    return `${this.#place.prefix}expiry/${expiryDay(untilSec)}/${nameOf(job)}`;
  }
}

/** An iteration that was begun, from its start. */
async function* resumed(first: Buffer, second: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield second;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}
