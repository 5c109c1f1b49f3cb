import { isDayMatch, isTimeMatch, type TimingMask } from './timing-mask.js';
import { type WallClock, wallTime } from './wall-clock.js';

const minuteSec = 60;
const hourSec = 3600;
const daySec = 86_400;

export interface DueMinutes {
  /** Due minutes in Unix seconds, ascending. */
  minutes: number[];
  /** Everything up to and including this minute has been decided. */
  upTo: number;
}

export interface DueLimits {
  /** Most due minutes in one answer. */
  maxDue: number;
  /** Most minutes to look at. */
  maxScanned: number;
}

/**
 * Due minutes in (`after`, `until`], both whole minutes in Unix seconds. Stops early at a limit; `upTo` then
 * says where to go on. The zone's offset is looked up once per hour, minute by minute only in hours in which
 * it changes.
 */
export function dueMinutes(
  mask: TimingMask,
  clock: WallClock,
  after: number,
  until: number,
  limits: DueLimits,
): DueMinutes {
  const minutes: number[] = [];
  const last = Math.min(until, after + limits.maxScanned * minuteSec);
  let dayStart = Number.NaN;
  let isDay = false;
  for (let minute = after + minuteSec; minute <= last; ) {
    const hour = Math.floor(minute / hourSec) * hourSec;
    const hourEnd = Math.min(last, hour + hourSec - minuteSec);
    const steady = clock.steadyOffsetSec(hour);
    for (; minute <= hourEnd; minute += minuteSec) {
      const local = minute + (steady ?? clock.offsetSec(minute));
      const start = Math.floor(local / daySec) * daySec;
      if (start !== dayStart) {
        dayStart = start;
        isDay = isDayMatch(mask, wallTime(local));
      }
      if (!isDay) continue;
      const second = local - start;
      if (!isTimeMatch(mask, Math.floor(second / hourSec), Math.floor((second % hourSec) / minuteSec)))
        continue;
      if (minutes.length === limits.maxDue) return { minutes, upTo: minute - minuteSec };
      minutes.push(minute);
    }
  }
  return { minutes, upTo: Math.max(after, last) };
}
