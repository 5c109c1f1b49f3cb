import { IANAZone } from 'luxon';

/** True for the name of an IANA time zone such as `Europe/London`; offsets and the empty string are none. */
export function isTimezone(name: string): boolean {
  if (knownZones.has(name)) return true;
  const isValid = /^[A-Za-z]/.test(name) && IANAZone.isValidZone(name);
  if (isValid && knownZones.size < mostKnownZones) knownZones.add(name);
  return isValid;
}

/** Looking a zone up takes a tenth of a millisecond, which counts where thousands of events are checked. */
const knownZones = new Set<string>();
const mostKnownZones = 1_000;

/** What a calendar and a clock on the wall show in some zone. */
export interface WallTime {
  year: number;
  /** 1 to 12. */
  month: number;
  /** 1 to 31. */
  day: number;
  /** 0 = Sunday. */
  weekday: number;
  hour: number;
  minute: number;
}

const hourSec = 3600;
const daySec = 86_400;
/** Hours whose offset is remembered: more than two years. */
const maxRemembered = 20_000;

/**
 * Wall-clock times of one zone. Every real minute has exactly one wall time, so times skipped in spring
 * never occur and times repeated in autumn occur twice (behaviour reference 4.3).
 */
export class WallClock {
  readonly #zone: IANAZone;
  readonly #hourOffsets = new Map<number, number>();

  /** Throws RangeError for an unknown zone. */
  constructor(timezone: string) {
    if (!isTimezone(timezone)) throw new RangeError(`Unknown time zone: ${timezone}`);
    this.#zone = IANAZone.create(timezone);
  }

  /** Seconds to add to Unix time for local time, at a moment in Unix seconds. */
  offsetSec(epochSec: number): number {
    return Math.round(this.#zone.offset(epochSec * 1000) * 60);
  }

  /** The offset throughout the hour (of Unix time) that begins at `hour`; undefined when it changes in it. */
  steadyOffsetSec(hour: number): number | undefined {
    const offset = this.#hourOffset(hour);
    return this.#hourOffset(hour + hourSec) === offset ? offset : undefined;
  }

  #hourOffset(hour: number): number {
    let offset = this.#hourOffsets.get(hour);
    if (offset === undefined) {
      if (this.#hourOffsets.size >= maxRemembered) this.#hourOffsets.clear();
      offset = this.offsetSec(hour);
      this.#hourOffsets.set(hour, offset);
    }
    return offset;
  }

  /** Wall time at a moment in Unix seconds. */
  at(epochSec: number): WallTime {
    return wallTime(epochSec + this.offsetSec(epochSec));
  }
}

/** Calendar fields of local seconds, that is Unix seconds plus the zone's offset (proleptic Gregorian). */
export function wallTime(localSec: number): WallTime {
  const days = Math.floor(localSec / daySec);
  const second = localSec - days * daySec;
  return {
    ...calendarDate(days),
    weekday: (((days + 4) % 7) + 7) % 7,
    hour: Math.floor(second / 3600),
    minute: Math.floor((second % 3600) / 60),
  };
}

/**
 * Date of a day number counted from 1970-01-01. Years are taken to begin in March, so that the leap day is
 * their last and month lengths follow one linear formula, within eras of 400 years (146,097 days).
 */
function calendarDate(days: number): Pick<WallTime, 'year' | 'month' | 'day'> {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leapDays =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  };
}
