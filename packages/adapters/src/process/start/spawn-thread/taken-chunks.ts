type Step = IteratorResult<Uint8Array, undefined>;

/** Taken bytes are reported in steps of this size. */
const reportBytes = 131_072;

/** Chunks that arrive from the thread, for one consumer; `onTaken` hears how much of them it has taken. */
export class TakenChunks implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #onTaken: (bytes: number) => void;
  readonly #chunks: Uint8Array[] = [];
  #takenBytes = 0;
  #ended = false;
  #waiting: ((step: Step) => void) | undefined;

  constructor(onTaken: (bytes: number) => void) {
    this.#onTaken = onTaken;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Step> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) return Promise.resolve(this.#hand(chunk));
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  return(): Promise<Step> {
    this.#chunks.length = 0;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  push(chunk: Uint8Array): void {
    const waiting = this.#waiting;
    if (waiting === undefined) {
      // What comes after the end was on its way when reading was stopped.
      if (!this.#ended) this.#chunks.push(chunk);
      return;
    }
    this.#waiting = undefined;
    waiting(this.#hand(chunk));
  }

  /** What has arrived is still handed out. */
  end(): void {
    this.#ended = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.({ done: true, value: undefined });
  }

  #hand(chunk: Uint8Array): Step {
    this.#takenBytes += chunk.byteLength;
    if (this.#takenBytes >= reportBytes) {
      this.#onTaken(this.#takenBytes);
      this.#takenBytes = 0;
    }
    return { done: false, value: chunk };
  }
}
