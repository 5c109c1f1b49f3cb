import type { Clock } from '../ports/clock.js';
import type { Random } from '../ports/random.js';

export type IdPrefix = 'e' | 'j' | 'c' | 'g' | 'p' | 'k' | 'n' | 'd';

/**
 * Source of record ids: prefix, 8 characters of time, 2 of a counter, 3 of this source's random part, all base 36
 * (behaviour reference 3.1, made unique across nodes). Never repeats within a source unless more than 1,296 ids
 * are asked for in one millisecond and the clock stands still.
 */
export function createIdSource(clock: Clock, random: Random): (prefix: IdPrefix) => string {
  const own = random
    .integer(36 ** 3)
    .toString(36)
    .padStart(3, '0');
  let counter = random.integer(36 ** 2);
  return (prefix) => {
    counter = (counter + 1) % 36 ** 2;
    const time = Math.floor(clock.nowMs()).toString(36).slice(-8).padStart(8, '0');
    return `${prefix}${time}${counter.toString(36).padStart(2, '0')}${own}`;
  };
}
