/**
 * Ids by a key that several may share. Most keys have one id, which is kept as such: a set for each would cost 150
 * bytes, 7 % of what an event takes.
 */
export class IdsByKey {
  readonly #ids = new Map<string, string | Set<string>>();

  /** In the order they were added. */
  of(key: string): Iterable<string> {
    const ids = this.#ids.get(key);
    if (ids === undefined) return [];
    return typeof ids === 'string' ? [ids] : ids;
  }

  count(key: string): number {
    const ids = this.#ids.get(key);
    if (ids === undefined) return 0;
    return typeof ids === 'string' ? 1 : ids.size;
  }

  add(key: string, id: string): void {
    const ids = this.#ids.get(key);
    if (ids === undefined) this.#ids.set(key, id);
    else if (typeof ids !== 'string') ids.add(id);
    else if (ids !== id) this.#ids.set(key, new Set([ids, id]));
  }

  /** Harmless when it is not there. */
  remove(key: string, id: string): void {
    const ids = this.#ids.get(key);
    if (ids === id) this.#ids.delete(key);
    else if (ids instanceof Set && ids.delete(id) && ids.size === 0) this.#ids.delete(key);
  }
}
