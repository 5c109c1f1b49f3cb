import {
  createReadStream,
  createWriteStream,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip, createGzip, gzipSync } from 'node:zlib';
import { CarillonError } from '@carillon/contract';
import type { JobLog, JobLogWriter } from '@carillon/core';
import { systemErrorName } from '../process/system-error.js';
import { FileLogWriter } from './file-log-writer.js';

const suffix = '.log';
/** Of a log that is being restored. */
const partSuffix = '.part';
const jobId = /^\w[\w-]*$/;
/** A log up to this size is compressed in one go. */
const wholeBytesMax = 65_536;

/** Logs as files `JOB.log` in one directory, created if needed. */
export class FileJobLog implements JobLog {
  readonly #directory: string;
  readonly #writers = new Map<string, FileLogWriter>();
  #restored = 0;

  constructor(directory: string) {
    this.#directory = resolve(directory);
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(this.#directory)) {
      if (name.endsWith(partSuffix)) rmSync(join(this.#directory, name), { force: true });
    }
  }

  async open(job: string, keepBytes?: number): Promise<JobLogWriter> {
    const path = this.#path(job);
    const sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (keepBytes !== undefined && keepBytes < sizeBytes) truncateSync(path, keepBytes);
    const writer = new FileLogWriter(path, () => {
      if (this.#writers.get(job) === writer) this.#writers.delete(job);
    });
    this.#writers.set(job, writer);
    return writer;
  }

  async restore(job: string, compressed: AsyncIterable<Uint8Array>): Promise<void> {
    const path = this.#path(job);
    this.#restored += 1;
    const part = `${path}.${this.#restored}${partSuffix}`;
    try {
      const target = createWriteStream(part, { mode: 0o640, flags: 'wx' });
      await pipeline(Readable.from(compressed, { objectMode: false }), createGunzip(), target);
      // Unlike a rename it never replaces a log.
      if (!existsSync(path)) linkSync(part, path);
    } finally {
      rmSync(part, { force: true });
    }
  }

  async read(job: string, offset: number, limit: number): Promise<Uint8Array> {
    const path = this.#path(job);
    await this.#writers.get(job)?.flushed();
    // It may be removed at any moment: then there is nothing to read.
    const file = await open(path, 'r').catch((error: unknown) => {
      if (systemErrorName(error) !== 'ENOENT') throw error;
      return undefined;
    });
    if (file === undefined) return new Uint8Array(0);
    try {
      const { size } = await file.stat();
      const buffer = Buffer.alloc(Math.max(0, Math.min(limit, size - offset)));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }

  async *compressed(job: string): AsyncIterable<Uint8Array> {
    const path = this.#path(job);
    await this.#writers.get(job)?.flushed();
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size <= wholeBytesMax) {
      yield gzipSync(size === 0 ? new Uint8Array(0) : readFileSync(path));
      return;
    }
    const source = createReadStream(path, { highWaterMark: wholeBytesMax });
    // The end of the job waits for this: four times as fast as the usual level, for logs a fifth larger.
    const gzip = source.pipe(createGzip({ chunkSize: wholeBytesMax, level: constants.Z_BEST_SPEED }));
    source.once('error', (error) => gzip.destroy(error));
    try {
      yield* gzip;
    } finally {
      source.destroy();
    }
  }

  async remove(job: string): Promise<void> {
    try {
      unlinkSync(this.#path(job));
    } catch {
      // Absent is what was asked for.
    }
  }

  async list(): Promise<string[]> {
    const files = readdirSync(this.#directory).filter((name) => name.endsWith(suffix));
    return files.map((name) => name.slice(0, -suffix.length)).filter((job) => jobId.test(job));
  }

  #path(job: string): string {
    if (!jobId.test(job)) throw new CarillonError('job', 'Malformed job id');
    return join(this.#directory, `${job}${suffix}`);
  }
}
