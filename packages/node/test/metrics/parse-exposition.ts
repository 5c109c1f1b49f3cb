/** A family of the text format of Prometheus 0.0.4, as a strict reader sees it. */
export interface ParsedFamily {
  type: string;
  help: string;
  /** By the text of name and labels, such as `x_bucket{le="1"}`. */
  samples: Map<string, number>;
}

const metricName = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const labelPair = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const sampleLine = new RegExp(
  `^(${metricName})(\\{${labelPair}(?:,${labelPair})*\\})? (NaN|[+-]?Inf|-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)$`,
);
const headLine = new RegExp(`^# (HELP|TYPE) (${metricName}) (.+)$`);

/**
 * Reads an exposition and throws with the line at the first thing that the format, or its conventions, do not allow: HELP
 * and TYPE once and before the samples, families together, no series twice, counters that end in `_total`, buckets
 * that grow and end with `+Inf`.
 */
export function parseExposition(text: string): Map<string, ParsedFamily> {
  if (!text.endsWith('\n')) throw new Error('The last line does not end');
  const families = new Map<string, ParsedFamily>();
  let current: { name: string; family: ParsedFamily } | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    const fail = (reason: string): never => {
      throw new Error(`${reason}: ${line}`);
    };
    const [, kind, name = '', rest = ''] = headLine.exec(line) ?? [];
    if (kind === 'HELP') {
      if (families.has(name)) fail('A family comes twice');
      current = { name, family: { type: '', help: rest, samples: new Map() } };
      families.set(name, current.family);
    } else if (kind === 'TYPE') {
      if (current?.name !== name || current.family.type !== '') fail('TYPE without HELP before it');
      if (!['counter', 'gauge', 'histogram'].includes(rest)) fail('An unknown type');
      if (current !== undefined) current.family.type = rest;
    } else {
      const [, sample = '', labels = '', value = ''] = sampleLine.exec(line) ?? fail('Not a sample');
      if (current === undefined || current.family.type === '')
        throw new Error(`A sample without TYPE: ${line}`);
      if (!namesOf(current.name, current.family.type).includes(sample)) fail('A sample of another family');
      const series = `${sample}${labels}`;
      if (current.family.samples.has(series)) fail('A series comes twice');
      current.family.samples.set(series, numberOf(value));
    }
  }
  for (const [name, family] of families) checkFamily(name, family);
  return families;
}

const namesOf = (name: string, type: string): string[] =>
  type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];

const numberOf = (text: string): number => {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return Number(text);
};

function checkFamily(name: string, { type, help, samples }: ParsedFamily): void {
  if (samples.size === 0) throw new Error(`${name} has no samples`);
  if (help.trim() === '') throw new Error(`${name} has no help`);
  if ((type === 'counter') !== name.endsWith('_total'))
    throw new Error(`${name}: only counters end in _total`);
  if (/_(ms|millis|milliseconds|minutes|kb|mb|percent)(_total)?$/.test(name)) {
    throw new Error(`${name} is not in a base unit`);
  }
  if (type === 'counter') {
    for (const value of samples.values()) if (!(value >= 0)) throw new Error(`${name} is negative`);
  }
  if (type === 'histogram') checkHistogram(name, samples);
}

function checkHistogram(name: string, samples: ReadonlyMap<string, number>): void {
  let last = 0;
  let bound = Number.NEGATIVE_INFINITY;
  for (const [series, value] of samples) {
    const le = /^\w+_bucket\{le="(.+)"\}$/.exec(series)?.[1];
    if (le === undefined) continue;
    if (!(numberOf(le) > bound)) throw new Error(`${name}: the bounds do not grow`);
    if (value < last) throw new Error(`${name}: a bucket is smaller than the one before`);
    last = value;
    bound = numberOf(le);
  }
  if (bound !== Number.POSITIVE_INFINITY) throw new Error(`${name} has no bucket +Inf`);
  if (samples.get(`${name}_count`) !== last) throw new Error(`${name}: the count is not the last bucket`);
}
