import type { ActivityEntry } from '../ports/store/store.js';

/** Entries of one text that are kept in a window. */
const mostPerWindow = 10;
/** Milliseconds. */
const windowMs = 600_000;
/** Distinct texts remembered. */
const mostTexts = 1_000;

interface Window {
  beginMs: number;
  kept: number;
  dropped: number;
}

/**
 * Keeps the same trouble from filling the activity log: of warnings and errors whose texts differ in numbers and ids
 * alone ten are kept in ten minutes; the next one that is kept says in `repeats` how many were not. What people and
 * jobs did is always kept. Time is given: monotonic milliseconds.
 */
export class ActivityRation {
  readonly #windows = new Map<string, Window>();

  /** The entry to keep, or undefined. */
  admit(entry: ActivityEntry, nowMs: number): ActivityEntry | undefined {
    const { action, description } = entry;
    if ((action !== 'warning' && action !== 'error') || typeof description !== 'string') return entry;
    const text = `${action} ${description.replaceAll(/\b(?=\w*\d)\w+\b/g, '#')}`;
    const known = this.#windows.get(text);
    if (known === undefined || nowMs - known.beginMs >= windowMs) {
      if (this.#windows.size >= mostTexts) this.#windows.clear();
      this.#windows.delete(text);
      this.#windows.set(text, { beginMs: nowMs, kept: 1, dropped: 0 });
      const repeats = known?.dropped ?? 0;
      return repeats === 0 ? entry : { ...entry, repeats };
    }
    if (known.kept < mostPerWindow) {
      known.kept += 1;
      return entry;
    }
    known.dropped += 1;
    return undefined;
  }
}
