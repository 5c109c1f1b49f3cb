import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects all garbage now, whatever options Node was started with. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/**
 * The bytes of buffers that are really held, beyond those held when it was made. Garbage is collected
 * before each look, so that a figure does not depend on when the engine would have done so.
 */
export class HeldBytes {
  private readonly collect = collector();
  private readonly before: number;
  /** The most that any look has found. */
  most = 0;

  constructor() {
    this.before = this.now();
  }

  look(): void {
    this.most = Math.max(this.most, this.now() - this.before);
  }

  private now(): number {
    // The engine frees buffers beside the program after a collection; the next one waits for that.
    this.collect();
    this.collect();
    return process.memoryUsage().arrayBuffers;
  }
}

/** A source of `times` copies of `chunk`, each its own memory; what is held is looked at four times. */
export async function* watchedCopies(
  chunk: Uint8Array,
  times: number,
  held: HeldBytes,
): AsyncGenerator<Uint8Array> {
  const quarter = Math.ceil(times / 4);
  for (let n = 0; n < times; n += 1) {
    if (n % quarter === 0) held.look();
    yield await Promise.resolve(new Uint8Array(chunk));
  }
}
