import type { Timing } from '@carillon/contract';

type Field = 'years' | 'months' | 'days' | 'weekdays' | 'hours' | 'minutes';

/** First and last value of each field that repeats; years have no end. */
const spans: Readonly<Record<Exclude<Field, 'years'>, readonly [number, number]>> = {
  months: [1, 12],
  days: [1, 31],
  weekdays: [0, 6],
  hours: [0, 23],
  minutes: [0, 59],
};
const weekdayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const mostTimes = 4;

/**
 * When an event is due, in words where they are short, else in five crontab fields (and years), as
 * `MINUTES HOURS DAYS MONTHS WEEKDAYS`. All fields must match, unlike in a crontab (behaviour reference 4.1).
 */
export function describeTiming(timing: unknown): string {
  if (typeof timing !== 'object' || timing === null) return 'on demand';
  const fields = normaliseTiming(timing);
  if (fields.years !== undefined || fields.months !== undefined) return cronText(fields);
  const time = timeOfDay(fields.hours, fields.minutes);
  if (time === undefined) return cronText(fields);
  if (fields.days === undefined && fields.weekdays === undefined) return time.alone;
  if (fields.days !== undefined && fields.weekdays !== undefined) return cronText(fields);
  if (fields.weekdays !== undefined) return `${weekdaysText(fields.weekdays)} ${time.after}`;
  return `monthly on ${listText(fields.days ?? [])} ${time.after}`;
}

/**
 * The same timing in one form only: arrays sorted without repetitions, fields that match everything left out.
 * Two timings are due at the same minutes when these are equal (but for odd combinations of years).
 */
export function normaliseTiming(timing: object): Timing {
  const fields: Timing = {};
  for (const name of ['years', 'months', 'days', 'weekdays', 'hours', 'minutes'] as const) {
    const given: unknown = Reflect.get(timing, name);
    if (!Array.isArray(given) || given.length === 0) continue;
    const values = [...new Set(given.map(Number))].sort((a, b) => a - b);
    if (name !== 'years') {
      const [first, last] = spans[name];
      if (values.length === last - first + 1) continue;
    }
    fields[name] = values;
  }
  return fields;
}

/** `alone` stands for itself, `after` follows a choice of days. */
function timeOfDay(
  hours: number[] | undefined,
  minutes: number[] | undefined,
): { alone: string; after: string } | undefined {
  if (hours === undefined) {
    if (minutes === undefined) return { alone: 'every minute', after: 'every minute' };
    const step = stepOf(minutes, 60);
    if (step !== undefined) return same(`every ${step} minutes`);
    if (minutes.length > mostTimes) return undefined;
    return same(`hourly at ${minutes.map((minute) => `:${two(minute)}`).join(', ')}`);
  }
  if (minutes === undefined) return undefined;
  if (hours.length * minutes.length <= mostTimes) {
    const times = hours.flatMap((hour) => minutes.map((minute) => `${two(hour)}:${two(minute)}`)).join(', ');
    return { alone: `daily at ${times}`, after: `at ${times}` };
  }
  const step = stepOf(hours, 24);
  return step === undefined || minutes.length > 1
    ? undefined
    : same(`every ${step} hours at :${two(minutes[0] ?? 0)}`);
}

const same = (text: string): { alone: string; after: string } => ({ alone: text, after: text });

/** `n` when the values are 0, n, 2n … up to `end`, at least two of them. */
function stepOf(values: number[], end: number): number | undefined {
  const [first, second] = values;
  if (first !== 0 || second === undefined || end % second !== 0 || values.length !== end / second) {
    return undefined;
  }
  return values.every((value, index) => value === index * second) ? second : undefined;
}

function weekdaysText(weekdays: number[]): string {
  return ranges(weekdays)
    .map(([from, to]) => {
      const [first, last] = [weekdayNames[from] ?? from, weekdayNames[to] ?? to];
      if (from === to) return `${first}`;
      return to === from + 1 ? `${first}, ${last}` : `${first}-${last}`;
    })
    .join(', ');
}

function cronText(fields: Timing): string {
  const { minutes, hours, days, months, weekdays, years } = fields;
  const parts = [
    cronField(minutes, 60),
    cronField(hours, 24),
    cronField(days),
    cronField(months),
    cronField(weekdays),
  ];
  if (years !== undefined) parts.push(cronField(years));
  return parts.join(' ');
}

function cronField(values: number[] | undefined, end?: number): string {
  if (values === undefined) return '*';
  const step = end === undefined ? undefined : stepOf(values, end);
  return step === undefined ? listText(values) : `*/${step}`;
}

const listText = (values: number[]): string =>
  ranges(values)
    .map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`))
    .join(',');

/** Runs of neighbours in a sorted list. */
function ranges(values: number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const value of values) {
    const last = found.at(-1);
    if (last !== undefined && value === last[1] + 1) last[1] = value;
    else found.push([value, value]);
  }
  return found;
}

const two = (value: number): string => String(value).padStart(2, '0');
