import type { ResourceStat } from '@carillon/contract';

/** `AVG (Peak: MAX)` of samples, or `(Unknown)` without any. */
export function samplesInWords(stat: unknown, show: (value: number) => string): string {
  if (!isStat(stat) || stat.count <= 0) return '(Unknown)';
  return `${show(stat.total / stat.count)} (Peak: ${show(stat.max)})`;
}

function isStat(stat: unknown): stat is ResourceStat {
  if (typeof stat !== 'object' || stat === null) return false;
  return ['max', 'total', 'count'].every((key) => Number.isFinite((stat as Record<string, unknown>)[key]));
}
