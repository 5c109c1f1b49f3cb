/** Something an import cannot take over as it is. */
export interface Finding {
  /**
   * `lost`: the record is left out. `changed`: it is taken over with a change. `check`: it is taken over, and whether it
   * works depends on what the file does not tell.
   */
  level: 'lost' | 'changed' | 'check';
  /** Kind, id and title of the record. */
  what: string;
  text: string;
}

/** Collects findings; what repeats itself for one record is told once. */
export class Findings {
  readonly all: Finding[] = [];
  readonly #told = new Set<string>();

  add(level: Finding['level'], what: string, text: string): void {
    const name = `${level} ${what} ${text}`;
    if (this.#told.has(name)) return;
    this.#told.add(name);
    this.all.push({ level, what, text });
  }
}
