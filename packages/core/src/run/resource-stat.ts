import type { ResourceStat } from '@carillon/contract';

/** The samples so far and one more (behaviour reference 9.3); the first sets every number. */
export function addSample(stat: ResourceStat | undefined, value: number): ResourceStat {
  if (stat === undefined) return { min: value, max: value, total: value, count: 1, current: value };
  return {
    min: Math.min(stat.min, value),
    max: Math.max(stat.max, value),
    total: stat.total + value,
    count: stat.count + 1,
    current: value,
  };
}
