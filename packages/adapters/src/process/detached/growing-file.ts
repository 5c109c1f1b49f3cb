import { closeSync, fstatSync, openSync, read } from 'node:fs';

const pieceBytes = 65_536;

type Step = IteratorResult<Uint8Array, undefined>;

/**
 * Follows a file that grows, for one consumer, from an offset on. Nothing is read ahead. Whoever watches the file calls
 * `wake` when there may be more, and `finish` when nothing more will be written. A file that cannot be read simply ends.
 */
export class GrowingFile implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #path: string;
  #file: number | undefined;
  #offset: number;
  #isFinal = false;
  #isStopped = false;
  #isReading = false;
  /** A wake-up that came while nobody waited. */
  #hasNews = true;
  #waiting: (() => void) | undefined;

  constructor(path: string, offset: number) {
    this.#path = path;
    this.#offset = offset;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<Step> {
    while (!this.#isStopped) {
      const isFinal = this.#isFinal;
      this.#hasNews = false;
      const chunk = await this.#read();
      if (chunk !== undefined && chunk.length > 0) return { done: false, value: chunk };
      if (isFinal || chunk === undefined) this.stop();
      else await this.#untilWoken();
    }
    return { done: true, value: undefined };
  }

  return(): Promise<Step> {
    this.stop();
    return Promise.resolve({ done: true, value: undefined });
  }

  wake(): void {
    this.#hasNews = true;
    this.#waiting?.();
  }

  /** Everything is written: the stream ends with the file. */
  finish(): void {
    this.#isFinal = true;
    this.wake();
  }

  /** Ends the stream where it is. */
  stop(): void {
    this.#isStopped = true;
    if (!this.#isReading) this.#close();
    this.wake();
  }

  #untilWoken(): Promise<void> {
    if (this.#hasNews) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting = () => {
        this.#waiting = undefined;
        resolve();
      };
    });
  }

  /** The next piece, empty at the present end of the file; undefined when it cannot be read. */
  async #read(): Promise<Uint8Array | undefined> {
    this.#isReading = true;
    try {
      this.#file ??= openSync(this.#path, 'r');
      const file = this.#file;
      const sizeBytes = fstatSync(file).size;
      // A program that opens its own output anew (`> /dev/stderr`) may have emptied it.
      if (sizeBytes < this.#offset) this.#offset = 0;
      const length = Math.min(pieceBytes, sizeBytes - this.#offset);
      const chunk = length === 0 ? new Uint8Array(0) : await readPiece(file, this.#offset, length);
      this.#offset += chunk.length;
      return chunk;
    } catch {
      return undefined;
    } finally {
      this.#isReading = false;
      if (this.#isStopped) this.#close();
    }
  }

  #close(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) closeSync(file);
  }
}

function readPiece(file: number, offset: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafe(length);
  return new Promise((resolve, reject) => {
    read(file, buffer, 0, length, offset, (error, bytesRead) => {
      if (error !== null) reject(error);
      else resolve(buffer.subarray(0, bytesRead));
    });
  });
}
