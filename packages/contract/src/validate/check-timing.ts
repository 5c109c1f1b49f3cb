/** Allowed values of each field; the upper end of `years` only keeps out nonsense. */
const ranges = new Map<string, readonly [number, number]>([
  ['years', [1, 9999]],
  ['months', [1, 12]],
  ['days', [1, 31]],
  ['weekdays', [0, 6]],
  ['hours', [0, 23]],
  ['minutes', [0, 59]],
]);

/** Most values one field may list: more than any calendar needs, few enough to keep an event small. */
const maxValues = 512;

/**
 * What is wrong with an event's timing, in the words of behaviour reference 1.6; undefined when nothing is. Falsy
 * values mean "on demand only" and are right. Fractions and lists (`[]`) are refused, which the peer let pass.
 */
export function checkTiming(value: unknown): string | undefined {
  if (!value) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) {
    return 'Malformed event parameter: timing (must be object)';
  }
  for (const [key, list] of Object.entries(value)) {
    const range = ranges.get(key);
    if (range === undefined) return `Unknown event timing parameter: ${key}`;
    const fault = faultOf(list, range);
    if (fault !== undefined) return `Malformed event timing parameter: ${key} (${fault})`;
  }
  return undefined;
}

function faultOf(list: unknown, [low, high]: readonly [number, number]): string | undefined {
  if (!Array.isArray(list)) return 'must be array';
  if (list.length > maxValues) return `more than ${maxValues} values`;
  for (const value of list as unknown[]) {
    if (typeof value !== 'number') return 'must be array of numbers';
    if (!Number.isInteger(value) || value < low || value > high) return `value out of range: ${value}`;
  }
  return undefined;
}
