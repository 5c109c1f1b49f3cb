import type { Timing } from '@carillon/contract';
import type { WallTime } from './wall-clock.js';

/** A timing as bit masks; bit 0 stands for the lowest value of its field. */
export interface TimingMask {
  /** Minutes 0 to 29 and 30 to 59. */
  minutesLow: number;
  minutesHigh: number;
  hours: number;
  days: number;
  weekdays: number;
  months: number;
  /** Undefined: any year. */
  years: readonly number[] | undefined;
}

const everyMinute = 2 ** 30 - 1;

/**
 * Masks of a timing, or undefined when it is never due: an event that only runs on demand, or values that no
 * minute has. All fields must match; an absent or empty one matches everything (behaviour reference 4.1).
 */
export function compileTiming(timing: Timing | false | null | undefined): TimingMask | undefined {
  if (!timing) return undefined;
  const minutes = timing.minutes ?? [];
  const any = minutes.length === 0;
  const mask: TimingMask = {
    minutesLow: any ? everyMinute : bits(minutes, 0, 29),
    minutesHigh: any ? everyMinute : bits(minutes, 30, 59),
    hours: field(timing.hours, 0, 23),
    days: field(timing.days, 1, 31),
    weekdays: field(timing.weekdays, 0, 6),
    months: field(timing.months, 1, 12),
    years: timing.years === undefined || timing.years.length === 0 ? undefined : timing.years,
  };
  const never =
    (mask.minutesLow === 0 && mask.minutesHigh === 0) ||
    mask.hours === 0 ||
    mask.days === 0 ||
    mask.weekdays === 0 ||
    mask.months === 0;
  return never ? undefined : mask;
}

/** True when a minute with this wall time is due. */
export function isMatch(mask: TimingMask, wall: WallTime): boolean {
  return isDayMatch(mask, wall) && isTimeMatch(mask, wall.hour, wall.minute);
}

/** True when some minute of the wall time's day may be due. */
export function isDayMatch(mask: TimingMask, wall: WallTime): boolean {
  return (
    (mask.months & (1 << (wall.month - 1))) !== 0 &&
    (mask.days & (1 << (wall.day - 1))) !== 0 &&
    (mask.weekdays & (1 << wall.weekday)) !== 0 &&
    (mask.years === undefined || mask.years.includes(wall.year))
  );
}

/** True when this time of day is due on matching days. */
export function isTimeMatch(mask: TimingMask, hour: number, minute: number): boolean {
  const half = minute < 30 ? mask.minutesLow : mask.minutesHigh;
  return (half & (1 << (minute % 30))) !== 0 && (mask.hours & (1 << hour)) !== 0;
}

function field(values: readonly number[] | undefined, lowest: number, highest: number): number {
  if (values === undefined || values.length === 0) return 2 ** (highest - lowest + 1) - 1;
  return bits(values, lowest, highest);
}

function bits(values: readonly number[], lowest: number, highest: number): number {
  let mask = 0;
  for (const value of values) {
    if (Number.isInteger(value) && value >= lowest && value <= highest) mask |= 1 << (value - lowest);
  }
  return mask;
}
