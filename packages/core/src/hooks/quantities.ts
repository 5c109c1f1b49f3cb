import type { ResourceStat } from '@carillon/contract';

const units = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
] as const;

/** Seconds in words: the largest unit and the next, such as `1 hour, 30 minutes`. */
export function durationInWords(seconds: number): string {
  let rest = Math.max(0, Math.round(seconds));
  const words: string[] = [];
  for (const [size, name] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) words.push(`${count} ${name}${count === 1 ? '' : 's'}`);
    else if (words.length > 0) break;
    if (words.length === 2) break;
  }
  return words.length === 0 ? '0 seconds' : words.join(', ');
}

const sizes = ['bytes', 'K', 'MB', 'GB', 'TB'] as const;

/** Bytes in the largest fitting unit of 1024, such as `1.5 MB`. */
export function bytesInWords(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 1024 && unit < sizes.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const shown = unit === 0 ? Math.round(value) : Math.round(value * 100) / 100;
  return `${shown} ${sizes[unit] ?? ''}`;
}

/** `AVG (Peak: MAX)` of samples, or `(Unknown)` without any. */
export function samplesInWords(stat: unknown, show: (value: number) => string): string {
  if (!isStat(stat) || stat.count <= 0) return '(Unknown)';
  return `${show(stat.total / stat.count)} (Peak: ${show(stat.max)})`;
}

function isStat(stat: unknown): stat is ResourceStat {
  if (typeof stat !== 'object' || stat === null) return false;
  return ['max', 'total', 'count'].every((key) => Number.isFinite((stat as Record<string, unknown>)[key]));
}
