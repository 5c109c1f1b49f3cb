/**
 * One line per receiver, with a few places each: a receiver that is slow or does not answer keeps nobody waiting but
 * those in its own line.
 */
export class DeliveryLines {
  readonly #placesPerLine: number;
  readonly #lines = new Map<string, { busy: number; waiting: Set<string> }>();
  readonly #waiting = new Set<string>();

  constructor(placesPerLine: number) {
    this.#placesPerLine = placesPerLine;
  }

  /** Takes a place, or puts the id at the end of the line and answers false. */
  enter(line: string, id: string): boolean {
    const entry = this.#lines.get(line) ?? { busy: 0, waiting: new Set<string>() };
    this.#lines.set(line, entry);
    if (entry.busy >= this.#placesPerLine) {
      entry.waiting.add(id);
      this.#waiting.add(id);
      return false;
    }
    this.#take(entry, id);
    entry.busy += 1;
    return true;
  }

  /** Gives a place back; answers who is next and has to enter again. */
  leave(line: string): string | undefined {
    const entry = this.#lines.get(line);
    if (entry === undefined) return undefined;
    entry.busy -= 1;
    const [next] = entry.waiting;
    if (next !== undefined) this.#take(entry, next);
    else if (entry.busy === 0) this.#lines.delete(line);
    return next;
  }

  isWaiting(id: string): boolean {
    return this.#waiting.has(id);
  }

  #take(entry: { waiting: Set<string> }, id: string): void {
    entry.waiting.delete(id);
    this.#waiting.delete(id);
  }
}
