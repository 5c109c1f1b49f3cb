import { UsageError } from './failures.js';

/** Options of a command line by name, as commander has read them. */
export class Options {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  /** True or false when given one way or the other (`--x`, `--no-x`). */
  choice(name: string): boolean | undefined {
    const value = this.#values[name];
    return typeof value === 'boolean' ? value : undefined;
  }

  list(name: string): string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** A whole number from `minimum` to `maximum`. Throws UsageError otherwise. */
  count(name: string, fallback: number, minimum = 0, maximum = Number.MAX_SAFE_INTEGER): number {
    const value = this.text(name);
    if (value === undefined) return fallback;
    const number = Number(value);
    if (!Number.isSafeInteger(number) || number < minimum || value.trim() === '') {
      throw new UsageError(`--${name} must be a whole number, at least ${minimum}: ${value}`);
    }
    if (number > maximum) throw new UsageError(`--${name} is ${maximum} at the most: ${value}`);
    return number;
  }

  /** Pairs of a repeated `NAME=VALUE` option. Throws UsageError for a text without `=`. */
  pairs(name: string): Map<string, string> {
    const pairs = new Map<string, string>();
    for (const text of this.list(name)) {
      const at = text.indexOf('=');
      if (at < 1) throw new UsageError(`--${name} must be NAME=VALUE: ${text}`);
      pairs.set(text.slice(0, at), text.slice(at + 1));
    }
    return pairs;
  }
}

/** Collects the values of an option that may be repeated. */
export const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value];

/** A value as JSON when it is (numbers, true, objects), else as the text it is. */
export function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
