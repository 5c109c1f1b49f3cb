import type { TimingMask } from './timing-mask.js';
import type { WallClock, WallTime } from './wall-clock.js';

/**
 * Timing masks of all indexed events of one zone, one array per field, so that a scan over 100,000 events stays
 * within the processor's caches. Slots are in no particular order: a deleted one is filled with the last.
 */
export class ZoneTable {
  readonly timezone: string;
  readonly clock: WallClock;
  readonly #slots = new Map<string, number>();
  readonly #ids: string[] = [];
  readonly #minutesLow: number[] = [];
  readonly #minutesHigh: number[] = [];
  readonly #hours: number[] = [];
  readonly #days: number[] = [];
  /** Months in bits 7 to 18, weekdays in bits 0 to 6. */
  readonly #monthsAndWeekdays: number[] = [];
  readonly #years: (readonly number[] | undefined)[] = [];

  constructor(timezone: string, clock: WallClock) {
    this.timezone = timezone;
    this.clock = clock;
  }

  get size(): number {
    return this.#ids.length;
  }

  put(id: string, mask: TimingMask): void {
    const slot = this.#slots.get(id) ?? this.#ids.length;
    this.#slots.set(id, slot);
    this.#ids[slot] = id;
    this.#minutesLow[slot] = mask.minutesLow;
    this.#minutesHigh[slot] = mask.minutesHigh;
    this.#hours[slot] = mask.hours;
    this.#days[slot] = mask.days;
    this.#monthsAndWeekdays[slot] = (mask.months << 7) | mask.weekdays;
    this.#years[slot] = mask.years;
  }

  /** Of an event that is here. */
  maskOf(id: string): TimingMask | undefined {
    const slot = this.#slots.get(id);
    if (slot === undefined) return undefined;
    const monthsAndWeekdays = this.#monthsAndWeekdays[slot] ?? 0;
    return {
      minutesLow: this.#minutesLow[slot] ?? 0,
      minutesHigh: this.#minutesHigh[slot] ?? 0,
      hours: this.#hours[slot] ?? 0,
      days: this.#days[slot] ?? 0,
      weekdays: monthsAndWeekdays & 0x7f,
      months: monthsAndWeekdays >>> 7,
      years: this.#years[slot],
    };
  }

  delete(id: string): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#slots.delete(id);
    const last = this.#ids.length - 1;
    const moved = this.#ids[last];
    if (slot !== last && moved !== undefined) this.#slots.set(moved, slot);
    for (const column of [
      this.#minutesLow,
      this.#minutesHigh,
      this.#hours,
      this.#days,
      this.#monthsAndWeekdays,
    ]) {
      moveLast(column, slot);
    }
    moveLast(this.#ids, slot);
    moveLast(this.#years, slot);
  }

  /** Appends the ids of all events that are due at this wall time. */
  collectDue(wall: WallTime, due: string[]): void {
    const minutes = wall.minute < 30 ? this.#minutesLow : this.#minutesHigh;
    const minuteBit = 1 << (wall.minute % 30);
    const hourBit = 1 << wall.hour;
    const dayBit = 1 << (wall.day - 1);
    const dateBits = (1 << (wall.month + 6)) | (1 << wall.weekday);
    for (let slot = 0; slot < this.#ids.length; slot += 1) {
      if (((minutes[slot] ?? 0) & minuteBit) === 0) continue;
      if (((this.#hours[slot] ?? 0) & hourBit) === 0) continue;
      if (((this.#days[slot] ?? 0) & dayBit) === 0) continue;
      if (((this.#monthsAndWeekdays[slot] ?? 0) & dateBits) !== dateBits) continue;
      const years = this.#years[slot];
      if (years !== undefined && !years.includes(wall.year)) continue;
      const id = this.#ids[slot];
      if (id !== undefined) due.push(id);
    }
  }
}

/** Overwrites a slot with the last one and drops the last. */
function moveLast(column: unknown[], slot: number): void {
  column.copyWithin(slot, column.length - 1);
  column.length -= 1;
}
