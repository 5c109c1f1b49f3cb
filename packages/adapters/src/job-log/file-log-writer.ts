import { closeSync, fstatSync, openSync, writev, writeSync } from 'node:fs';
import type { JobLogWriter } from '@carillon/core';

/** Small pieces are written at once: cheaper than a trip through the thread pool, and there is nothing to wait for. */
const immediateBytesMax = 16_384;
/** Bytes on the way to the disk before the writer asks its caller to wait. */
const highWaterBytes = 1_048_576;

interface Waiter {
  atMostBytes: number;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Appends to one log file. Everything written is in the file when `close` resolves; nothing is forced to the disk. */
export class FileLogWriter implements JobLogWriter {
  readonly path: string;
  readonly #file: number;
  readonly #onClose: () => void;
  #size: number;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #busyBytes = 0;
  #waiting: Waiter[] = [];
  #failure: { error: unknown } | undefined;
  #closed = false;

  constructor(path: string, onClose: () => void) {
    this.path = path;
    this.#file = openSync(path, 'a', 0o640);
    this.#size = fstatSync(this.#file).size;
    this.#onClose = onClose;
  }

  get size(): number {
    return this.#size;
  }

  async write(chunk: Uint8Array | string): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#closed) throw new Error('The log is closed');
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (bytes.length === 0) return;
    this.#size += bytes.length;
    if (this.#busyBytes === 0 && bytes.length <= immediateBytesMax) {
      this.#writeNow(bytes);
      return;
    }
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    this.#flush();
    if (this.#pendingBytes + this.#busyBytes > highWaterBytes) await this.#until(highWaterBytes);
  }

  /** Resolves when everything written so far can be read. */
  async flushed(): Promise<void> {
    if (this.#busyBytes > 0 || this.#pendingBytes > 0) await this.#until(0);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.flushed();
    } finally {
      closeSync(this.#file);
      this.#onClose();
    }
  }

  #writeNow(bytes: Uint8Array): void {
    try {
      let done = 0;
      while (done < bytes.length) done += writeSync(this.#file, bytes, done, bytes.length - done);
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  #flush(): void {
    if (this.#busyBytes > 0 || this.#pendingBytes === 0) return;
    const chunks = this.#pending;
    this.#busyBytes = this.#pendingBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    writev(this.#file, chunks, (error, written) => {
      const expected = this.#busyBytes;
      this.#busyBytes = 0;
      if (error !== null) this.#fail(error);
      else if (written < expected) this.#retryRest(chunks, written);
      this.#flush();
      this.#wake();
    });
  }

  /** A short write: puts what is left in front again. */
  #retryRest(chunks: Uint8Array[], written: number): void {
    const rest = Buffer.concat(chunks).subarray(written);
    this.#pending.unshift(rest);
    this.#pendingBytes += rest.length;
  }

  #fail(error: unknown): void {
    this.#failure = { error };
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  #until(atMostBytes: number): Promise<void> {
    return new Promise((resolve, reject) => this.#waiting.push({ atMostBytes, resolve, reject }));
  }

  #wake(): void {
    const onTheWay = this.#pendingBytes + this.#busyBytes;
    const still: Waiter[] = [];
    for (const waiter of this.#waiting) {
      if (this.#failure !== undefined) waiter.reject(this.#failure.error);
      else if (onTheWay <= waiter.atMostBytes) waiter.resolve();
      else still.push(waiter);
    }
    this.#waiting = still;
  }
}
