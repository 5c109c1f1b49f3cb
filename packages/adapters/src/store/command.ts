/**
 * A Redis command, or one of the conditions the commit script knows, as words: the second is the key. A command of two
 * keys comes with another one that names the second.
 */
export type Command = readonly string[];

/** Daily totals are kept for this long. */
export const statsExpireSec = 40 * 86_400;
/** A century: Redis refuses expiry times that overflow its milliseconds. */
export const longestExpireSec = 100 * 366 * 86_400;

/** Digits only: the increment commands refuse fractions and exponents. */
export function wholeNumber(value: number): string {
  const rounded = Math.round(value);
  return Number.isSafeInteger(rounded) ? String(rounded) : '0';
}
