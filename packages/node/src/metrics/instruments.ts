/** Values of the labels of one series, by label name. */
export type Labels = Readonly<Record<string, string>>;

/** One line of the exposition beside its family's name. */
export interface Sample {
  /** `_bucket`, `_sum` or `_count` of a histogram. */
  suffix?: string;
  labels: Labels;
  value: number;
}

/** All series of one name, as they are at the moment of a scrape. */
export interface Family {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  samples: readonly Sample[];
}

/** Grows only, for as long as the process lives; one series for each set of label values. */
export class Counter {
  readonly #name: string;
  readonly #help: string;
  readonly #series = new Map<string, { labels: Labels; value: number }>();

  /** `first`: series that are there from the beginning, so that their first increase is seen by `rate`. */
  constructor(name: string, help: string, first: readonly Labels[] = [{}]) {
    this.#name = name;
    this.#help = help;
    for (const labels of first) this.add(0, labels);
  }

  add(value: number, labels: Labels = {}): void {
    const key = JSON.stringify(labels);
    const known = this.#series.get(key);
    if (known === undefined) this.#series.set(key, { labels, value });
    else known.value += value;
  }

  family(): Family {
    return { name: this.#name, help: this.#help, type: 'counter', samples: [...this.#series.values()] };
  }
}

/** Counts observations by size. */
export class Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  /** One more than the bounds: the last is for what is larger than all of them. */
  readonly #counts: number[];
  #sum = 0;

  /** `bounds`: upper bounds, ascending, in the unit of the name. */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    let place = this.#bounds.findIndex((bound) => value <= bound);
    if (place < 0) place = this.#bounds.length;
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.#sum += value;
  }

  family(): Family {
    let total = 0;
    const buckets = this.#counts.map((count, place): Sample => {
      total += count;
      const bound = this.#bounds[place];
      return {
        suffix: '_bucket',
        labels: { le: bound === undefined ? '+Inf' : String(bound) },
        value: total,
      };
    });
    const samples = [
      ...buckets,
      { suffix: '_sum', labels: {}, value: this.#sum },
      { suffix: '_count', labels: {}, value: total },
    ];
    return { name: this.#name, help: this.#help, type: 'histogram', samples };
  }
}

/** A family of values that are read when they are asked for. */
export function gauge(
  name: string,
  help: string,
  value: number | Iterable<{ labels: Labels; value: number }>,
): Family {
  const samples = typeof value === 'number' ? [{ labels: {}, value }] : [...value];
  return { name, help, type: 'gauge', samples };
}
