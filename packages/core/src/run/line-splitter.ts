/** What a splitter finds. Bytes are ranges of the chunks where possible: do not change them. */
export interface LineSink {
  /** Bytes for the log, in order. `startsLine`: the first byte is the first of its line. */
  text(bytes: Uint8Array, startsLine: boolean): void;
  /** A whole line that may be a message, with its newline unless it is the last of the stream. */
  line(bytes: Uint8Array): void;
  /** A line was held back and got too long; it follows as text. `first`: its first visible byte. */
  overlong?(first: number): void;
}

export interface LineSplitterOptions {
  /** True for the first visible byte of lines that are held back until they are whole. */
  isHeld: (byte: number) => boolean;
  /** True: `text` never crosses the start of a line. */
  eachLine?: boolean;
  /** Longest line to hold, in bytes; a longer one is passed on as text. */
  limit?: number;
}

const newline = 10;
const defaultLimit = 1_048_576;

/**
 * Cuts a byte stream into lines without decoding it. Ordinary text passes through at once, in ranges as large as
 * they come; only lines that may be messages (behaviour reference 6.3) are held until their newline, up to a limit.
 * However the stream is cut into chunks, the same bytes come out in the same order. Nothing is dropped: blank
 * lines and an unterminated last line included.
 */
export class LineSplitter {
  readonly #sink: LineSink;
  readonly #isHeld: (byte: number) => boolean;
  readonly #eachLine: boolean;
  readonly #limit: number;
  /** `start`: nothing visible of the line seen so far. */
  #state: 'start' | 'held' | 'text' = 'start';
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #startsLine = true;
  /** First visible byte of the line that is held. */
  #first = 0;

  constructor(sink: LineSink, options: LineSplitterOptions) {
    this.#sink = sink;
    this.#isHeld = options.isHeld;
    this.#eachLine = options.eachLine ?? false;
    this.#limit = options.limit ?? defaultLimit;
  }

  feed(chunk: Uint8Array): void {
    /** First byte that has not been handed over or kept. */
    let from = 0;
    let position = 0;
    while (position < chunk.length) {
      if (this.#state === 'text') {
        position = this.#endOfLine(chunk, position);
        if (this.#eachLine) from = this.#pass(chunk, from, position);
      } else if (this.#state === 'start') {
        const lineStart = position;
        position = skipBlanks(chunk, position);
        if (position === chunk.length) {
          this.#pass(chunk, from, lineStart);
          this.#keep(chunk.subarray(lineStart));
          from = position;
        } else if (this.#isHeld(chunk[position] ?? newline)) {
          from = this.#pass(chunk, from, lineStart);
          this.#state = 'held';
          this.#first = chunk[position] ?? newline;
        } else {
          this.#release();
          this.#state = 'text';
        }
      } else {
        position = this.#takeHeld(chunk, from, position);
        from = position;
      }
    }
    this.#pass(chunk, from, chunk.length);
  }

  /** The stream is over: hands out what was held. */
  end(): void {
    if (this.#state === 'held' && this.#keptBytes > 0) this.#sink.line(this.#takeKept());
    else this.#release();
    this.#state = 'start';
  }

  /** Deals with a held line from `from` on; returns the position after what was dealt with. */
  #takeHeld(chunk: Uint8Array, from: number, position: number): number {
    const found = chunk.indexOf(newline, position);
    const end = found < 0 ? chunk.length : found + 1;
    if (this.#keptBytes + end - from > this.#limit) {
      this.#sink.overlong?.(this.#first);
      this.#release();
      this.#pass(chunk, from, end);
      this.#state = found < 0 ? 'text' : 'start';
    } else if (found < 0) {
      this.#keep(chunk.subarray(from));
    } else {
      this.#kept.push(chunk.subarray(from, end));
      this.#state = 'start';
      this.#sink.line(this.#takeKept());
      this.#startsLine = true;
    }
    return end;
  }

  /** Position after the newline that ends the present line, or the end of the chunk. */
  #endOfLine(chunk: Uint8Array, position: number): number {
    const found = chunk.indexOf(newline, position);
    if (found < 0) return chunk.length;
    this.#state = 'start';
    return found + 1;
  }

  /** Hands a range over as text; returns its end. */
  #pass(chunk: Uint8Array, from: number, end: number): number {
    if (end > from) {
      const startsLine = this.#startsLine;
      this.#startsLine = chunk[end - 1] === newline;
      this.#sink.text(chunk.subarray(from, end), startsLine);
    }
    return end;
  }

  #keep(bytes: Uint8Array): void {
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
    if (this.#keptBytes <= this.#limit) return;
    this.#release();
    this.#state = 'text';
  }

  /** Hands kept bytes over as text. */
  #release(): void {
    if (this.#kept.length === 0) return;
    const bytes = this.#takeKept();
    this.#pass(bytes, 0, bytes.length);
  }

  #takeKept(): Uint8Array {
    const pieces = this.#kept;
    this.#kept = [];
    this.#keptBytes = 0;
    const [only] = pieces;
    return pieces.length === 1 && only !== undefined ? only : concatBytes(pieces);
  }
}

/** All pieces in one array. */
export function concatBytes(pieces: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}

/** Position of the first byte that is not blank; a newline is not blank. */
function skipBlanks(chunk: Uint8Array, start: number): number {
  let position = start;
  for (; position < chunk.length; position += 1) {
    const byte = chunk[position] ?? 0;
    if (byte !== 32 && (byte === newline || byte < 9 || byte > 13)) break;
  }
  return position;
}
