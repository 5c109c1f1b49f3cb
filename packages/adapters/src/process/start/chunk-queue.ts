import type { Readable } from 'node:stream';

/** Bytes held for a slow consumer before reading stops. */
const highWaterBytes = 262_144;

type Step = IteratorResult<Uint8Array, undefined>;

/**
 * The chunks of a stream for one consumer, with back pressure: reading stops while more than 256 kB wait. Much
 * cheaper than a stream's own iterator. A stream that fails simply ends.
 */
export class ChunkQueue implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #stream: Readable;
  #chunks: Uint8Array[] = [];
  #queuedBytes = 0;
  #ended = false;
  #waiting: ((step: Step) => void) | undefined;

  constructor(stream: Readable) {
    this.#stream = stream;
    stream.on('data', (chunk: Uint8Array) => this.#push(chunk));
    const end = (): void => this.#end();
    stream.once('end', end);
    stream.once('close', end);
    // A broken pipe is followed by close; without a listener it would end this process.
    stream.on('error', end);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#queuedBytes -= chunk.length;
      if (this.#queuedBytes <= highWaterBytes && this.#stream.isPaused()) this.#stream.resume();
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  return(): Promise<Step> {
    this.#chunks = [];
    this.stop();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Reads nothing more; what is queued is still handed out. */
  stop(): void {
    this.#stream.destroy();
    this.#end();
  }

  #push(chunk: Uint8Array): void {
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting({ done: false, value: chunk });
      return;
    }
    this.#chunks.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes > highWaterBytes) this.#stream.pause();
  }

  #end(): void {
    this.#ended = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.({ done: true, value: undefined });
  }
}
