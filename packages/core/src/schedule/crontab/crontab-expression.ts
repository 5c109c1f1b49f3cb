import { CarillonError, type Timing } from '@carillon/contract';

type FieldName = 'minutes' | 'hours' | 'days' | 'months' | 'weekdays' | 'years';

interface FieldRange {
  name: FieldName;
  lowest: number;
  highest: number;
  /** Names of the values, the first for `lowest`. */
  names: readonly string[];
}

const monthNames = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];
const weekdayNames = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

const ranges: readonly FieldRange[] = [
  { name: 'minutes', lowest: 0, highest: 59, names: [] },
  { name: 'hours', lowest: 0, highest: 23, names: [] },
  { name: 'days', lowest: 1, highest: 31, names: [] },
  { name: 'months', lowest: 1, highest: 12, names: monthNames },
  { name: 'weekdays', lowest: 0, highest: 6, names: weekdayNames },
  { name: 'years', lowest: 1970, highest: 3000, names: [] },
];

const keywords = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

/** The five fields a keyword such as `@daily` stands for, or undefined. */
export const expandCrontabKeyword = (keyword: string): string | undefined =>
  keywords.get(keyword.toLowerCase());

/**
 * Timing of a crontab expression (behaviour reference 4.9): one to six fields (minutes, hours, days, months,
 * weekdays, years) or a keyword. Values outside a field's range are moved into it; `h` is a value that
 * depends on the title only. `strict` takes what cron itself takes: five fields, no `h`, nothing out of range.
 * Throws CarillonError `api`: `Invalid crontab format: X` or `Invalid crontab keyword: X`.
 */
export function parseCrontabExpression(text: string, title: string, strict = false): Timing {
  const given = text.trim().toLowerCase();
  const expression = given.startsWith('@') ? keywords.get(given) : given;
  if (expression === undefined) throw new CarillonError('api', `Invalid crontab keyword: ${given}`);
  const parts = expression.split(/\s+/);
  if (expression === '' || parts.length > (strict ? 5 : ranges.length) || (strict && parts.length < 5)) {
    throw invalid(given);
  }
  const timing: Timing = {};
  for (const [index, part] of parts.entries()) {
    const range = ranges[index];
    if (range === undefined) throw invalid(given);
    const values = parseField(part, range, title, strict);
    if (values !== undefined) timing[range.name] = values;
  }
  return timing;
}

/** Sorted values of one field, or undefined for any. */
function parseField(part: string, range: FieldRange, title: string, strict: boolean): number[] | undefined {
  if (part === '*') return undefined;
  const size = range.highest - range.lowest + 1;
  if (part === 'h' && !strict) return [range.lowest + (stableHash(`${range.name}:${title}`) % size)];
  const values = new Set<number>();
  for (const item of part.split(',')) addItem(item, range, strict, values);
  return values.size === size ? undefined : [...values].sort((one, other) => one - other);
}

/** Adds the values of `N`, `A-B`, `A-B/S`, `*` or `*` with a step. */
function addItem(item: string, range: FieldRange, strict: boolean, values: Set<number>): void {
  const match = /^(\*|\w+)(?:-(\w+))?(?:\/(\d{1,4}))?$/.exec(item);
  const [, first, second, stepText] = match ?? [];
  if (first === undefined) throw invalid(item);
  const isOpen = first === '*';
  const isSpan = isOpen || second !== undefined;
  if ((isOpen && second !== undefined) || (stepText !== undefined && !isSpan)) throw invalid(item);
  const step = stepText === undefined ? 1 : Number(stepText);
  const from = isOpen ? range.lowest : valueOf(first, range, strict, item);
  const to = isOpen ? range.highest : second === undefined ? from : valueOf(second, range, strict, item);
  if (step === 0 || to < from) throw invalid(item);
  for (let value = from; value <= to; value += step) values.add(fit(value, range));
}

function valueOf(word: string, range: FieldRange, strict: boolean, item: string): number {
  const named = range.names.findIndex((name) => name === word || name.slice(0, 3) === word);
  if (named >= 0) return range.lowest + named;
  if (!/^\d{1,4}$/.test(word)) throw invalid(item);
  const value = Number(word);
  const highest = range.name === 'weekdays' ? 7 : range.highest;
  if (strict && (value < range.lowest || value > highest)) throw invalid(item);
  return value;
}

/** Below the range: its lowest value; above: wrapped around, so that weekday 7 is Sunday. */
function fit(value: number, range: FieldRange): number {
  const size = range.highest - range.lowest + 1;
  return value <= range.highest
    ? Math.max(value, range.lowest)
    : range.lowest + ((value - range.lowest) % size);
}

const invalid = (text: string): CarillonError => new CarillonError('api', `Invalid crontab format: ${text}`);

/** 32-bit FNV-1a hash over UTF-16 code units. */
function stableHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
