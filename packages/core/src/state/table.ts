/** A stored record with its place and its serialised body (JSON), so that reads copy bytes. */
export interface TableEntry<T> {
  readonly id: string;
  readonly seq: number;
  readonly record: T;
  readonly json: string;
}

/**
 * Records by id in order of `seq`. Lookup is O(1), a page is O(page), a change O(log n) plus a memory move.
 */
export class Table<T extends { id: string }> {
  readonly #byId = new Map<string, TableEntry<T>>();
  /** Oldest first, ascending seq. */
  readonly #order: TableEntry<T>[] = [];

  get size(): number {
    return this.#order.length;
  }

  /** Next free place, after everything there. */
  get nextSeq(): number {
    return (this.#order.at(-1)?.seq ?? 0) + 1;
  }

  get(id: string): T | undefined {
    return this.#byId.get(id)?.record;
  }

  entry(id: string): TableEntry<T> | undefined {
    return this.#byId.get(id);
  }

  /**
   * Adds, or replaces the record of the same id, keeping its place when `seq` is the same. `json`: what the record was
   * parsed from. Without it a copy of the record is kept: parsed records of the same properties share one description of
   * them, while those put together in other ways have one each, as large as the record; and nobody else can change it.
   */
  put(seq: number, record: T, json?: string): void {
    const entry = json === undefined ? copyOf(seq, record) : { id: record.id, seq, record, json };
    this.delete(record.id);
    this.#byId.set(record.id, entry);
    this.#order.splice(this.#position(seq), 0, entry);
  }

  delete(id: string): boolean {
    const old = this.#byId.get(id);
    if (old === undefined) return false;
    this.#byId.delete(id);
    let index = this.#position(old.seq);
    while (this.#order[index] !== old) index += 1;
    this.#order.splice(index, 1);
    return true;
  }

  /** Entries newest first. */
  page(offset: number, limit: number): TableEntry<T>[] {
    const end = this.#order.length - offset;
    return end <= 0 ? [] : this.#order.slice(Math.max(0, end - limit), end).reverse();
  }

  /** Newest first. */
  *newestFirst(): IterableIterator<T> {
    for (let index = this.#order.length - 1; index >= 0; index -= 1) {
      const entry = this.#order[index];
      if (entry !== undefined) yield entry.record;
    }
  }

  /** First index whose seq is not smaller. */
  #position(seq: number): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#order[middle]?.seq ?? 0) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function copyOf<T extends { id: string }>(seq: number, record: T): TableEntry<T> {
  const json = JSON.stringify(record);
  const copy: T = JSON.parse(json);
  return { id: copy.id, seq, record: copy, json };
}
