import type { Clock } from '../ports/clock.js';
import type { Random } from '../ports/random.js';

export type IdPrefix = 'e' | 'j' | 'c' | 'g' | 'p' | 'k' | 'n' | 'd';

/** Ids of one source with the same time. */
const perMs = 36 ** 2;

/**
 * Source of record ids: prefix, 8 characters of time, 2 of a counter, 3 of this source's random part, all base 36
 * (behaviour reference 3.1, made unique across nodes). Never repeats within a source, also when the clock is set back:
 * the time of ids stands still then, or goes on by itself.
 */
export function createIdSource(clock: Clock, random: Random): (prefix: IdPrefix) => string {
  const own = random
    .integer(36 ** 3)
    .toString(36)
    .padStart(3, '0');
  let counter = random.integer(perMs);
  let timeMs = Number.NEGATIVE_INFINITY;
  let issued = 0;
  return (prefix) => {
    const nowMs = Math.floor(clock.nowMs());
    if (nowMs > timeMs || issued === perMs) {
      timeMs = Math.max(nowMs, timeMs + 1);
      issued = 0;
    }
    issued += 1;
    counter = (counter + 1) % perMs;
    const time = timeMs.toString(36).slice(-8).padStart(8, '0');
    return `${prefix}${time}${counter.toString(36).padStart(2, '0')}${own}`;
  };
}
