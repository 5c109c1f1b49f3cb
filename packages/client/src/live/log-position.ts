/**
 * Where a reader is in a job's log. Chunks may come again from the start (a new connection) or overlap; each byte is
 * handed out once, in order. Offsets are bytes of UTF-8.
 */
export class LogPosition {
  #next = 0;
  /** Bytes the last chunk may count too many: each U+FFFD may stand for one invalid byte. */
  #slack = 0;

  /** Byte offset of what comes next. */
  get next(): number {
    return this.#next;
  }

  /** A new connection: chunks start anew, wherever the server likes. */
  restart(): void {
    this.#slack = 0;
  }

  /** The new text of a chunk (perhaps empty), or `gap` when bytes before it are missing. */
  accept(offset: number, text: string): { text: string } | 'gap' {
    if (offset > this.#next) return 'gap';
    if (offset >= this.#next - this.#slack) {
      this.#next = offset + Buffer.byteLength(text);
      this.#slack = 2 * count(text, '\ufffd');
      return { text };
    }
    const bytes = Buffer.from(text);
    const fresh = bytes.subarray(Math.min(this.#next - offset, bytes.length));
    if (fresh.length === 0) return { text: '' };
    this.#next += fresh.length;
    this.#slack = 0;
    return { text: fresh.toString() };
  }

  /**
   * The new text of a whole log. A character whose last bytes are still to come is left for later, unless the
   * log is `complete`.
   */
  acceptWhole(log: Buffer, complete: boolean): string {
    const end = complete ? log.length : wholeCharacters(log);
    if (end <= this.#next) return '';
    const text = log.subarray(this.#next, end).toString();
    this.#next = end;
    this.#slack = 0;
    return text;
  }
}

/** Length without an unfinished character at the end. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function count(text: string, character: string): number {
  let found = 0;
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) found += 1;
  return found;
}
