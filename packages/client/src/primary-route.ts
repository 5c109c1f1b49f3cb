/**
 * Which base URL the next request goes to: the primary once a redirect has named it, else the configured
 * URLs in turn (API reference, Redirects).
 */
export class PrimaryRoute {
  readonly #configured: readonly string[];
  readonly #reachedAt: (announced: string) => string;
  #next = 0;
  #primary: string | undefined;

  /** `configured`: at least one base URL. `reachedAt`: where a node is that has named itself so. */
  constructor(configured: readonly string[], reachedAt: (announced: string) => string) {
    this.#configured = configured;
    this.#reachedAt = reachedAt;
  }

  /** Base URL without trailing slash. */
  current(): string {
    return this.#primary ?? this.#configured[this.#next % this.#configured.length] ?? '';
  }

  /** A node has named the primary, by the base URL that it announces. */
  moveTo(primary: string): void {
    this.#primary = this.#reachedAt(primary);
  }

  /**
   * The node at `base` did not help. Answers true when there is another one to try at once: after the cached
   * primary, or while not all configured URLs have had their turn.
   */
  fail(base: string): boolean {
    if (this.#primary !== undefined) {
      if (base === this.#primary) this.#primary = undefined;
      return true;
    }
    if (base === this.current()) this.#next = (this.#next + 1) % this.#configured.length;
    return this.#next !== 0;
  }
}

/**
 * Base URL of the primary in a `Location` that was answered to a request for `path` at `base`; undefined when the
 * location is not that of the same call on another node, so that the key is never sent to a login page
 * or to another program. `insecure`: whether https may become http.
 */
export function redirectedBase(
  location: string,
  base: string,
  path: string,
  insecure: boolean,
): string | undefined {
  if (!URL.canParse(location, base)) return undefined;
  const target = new URL(location, base);
  if (target.protocol !== 'http:' && target.protocol !== 'https:') return undefined;
  if (target.protocol === 'http:' && base.startsWith('https:') && !insecure) return undefined;
  if (!target.pathname.endsWith(path)) return undefined;
  return `${target.origin}${target.pathname.slice(0, -path.length)}`;
}
