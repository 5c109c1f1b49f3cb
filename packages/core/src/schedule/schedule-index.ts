import type { EventRecord } from '@carillon/contract';
import { type DueLimits, type DueMinutes, dueMinutes } from './due-minutes.js';
import { compileTiming, isMatch } from './timing-mask.js';
import { isTimezone, WallClock } from './wall-clock.js';
import { ZoneTable } from './zone-table.js';

interface Place {
  zone: ZoneTable;
  seq: number;
}

/**
 * Which events are due in a minute. Holds enabled events with a timing only, grouped by time zone: a minute
 * costs one wall clock per zone and a few bit tests per event.
 */
export class ScheduleIndex {
  readonly #defaultTimezone: string;
  readonly #zones = new Map<string, ZoneTable>();
  readonly #places = new Map<string, Place>();
  readonly #catchUps = new Set<string>();
  readonly #clocks = new Map<string, WallClock>();
  #lastSeq = 0;

  /**
   * `defaultTimezone` counts for events without a valid zone of their own (behaviour reference 4.1).
   * Throws RangeError when it is unknown.
   */
  constructor(defaultTimezone: string) {
    this.#defaultTimezone = defaultTimezone;
    this.#clock(defaultTimezone);
  }

  /** Number of enabled events with a timing. */
  get size(): number {
    return this.#places.size;
  }

  /** What looking at one minute costs, in events looked at; a wall clock costs as much as 200 of them. */
  get scanCost(): number {
    return this.#places.size + 200 * this.#zones.size;
  }

  /**
   * Adds or replaces an event; one that is disabled or has no timing is forgotten. `seq` is its place in the
   * schedule (larger is newer); without it a known event keeps its place and another becomes the newest.
   */
  put(event: EventRecord, seq?: number): void {
    const place = seq ?? this.#places.get(event.id)?.seq ?? this.#lastSeq + 1;
    this.#lastSeq = Math.max(this.#lastSeq, place);
    this.delete(event.id);
    const mask = event.enabled ? compileTiming(event.timing) : undefined;
    if (mask === undefined) return;
    const zone = this.#zone(this.#timezoneOf(event));
    zone.put(event.id, mask);
    this.#places.set(event.id, { zone, seq: place });
    if (event.catch_up) this.#catchUps.add(event.id);
  }

  /** Harmless for an unknown event. */
  delete(id: string): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    place.zone.delete(id);
    if (place.zone.size === 0) this.#zones.delete(place.zone.timezone);
    this.#places.delete(id);
    this.#catchUps.delete(id);
  }

  /** True for an enabled event with a timing. */
  has(id: string): boolean {
    return this.#places.has(id);
  }

  isCatchUp(id: string): boolean {
    return this.#catchUps.has(id);
  }

  /** Ids of all enabled catch-up events with a timing, in no particular order. */
  catchUps(): IterableIterator<string> {
    return this.#catchUps.values();
  }

  /** Ids of the events due in a minute (Unix seconds), newest event first. */
  dueAt(minute: number): string[] {
    const seqOf = (id: string): number => this.#places.get(id)?.seq ?? 0;
    return this.collectDue(minute).sort((one, other) => seqOf(other) - seqOf(one));
  }

  /** As `dueAt`, in no particular order. */
  collectDue(minute: number): string[] {
    const due: string[] = [];
    for (const zone of this.#zones.values()) zone.collectDue(zone.clock.at(minute), due);
    return due;
  }

  /** Due minutes of one indexed event in (`after`, `until`]; undefined for any other event. */
  dueMinutesOf(id: string, after: number, until: number, limits: DueLimits): DueMinutes | undefined {
    const zone = this.#places.get(id)?.zone;
    const mask = zone?.maskOf(id);
    if (zone === undefined || mask === undefined) return undefined;
    return dueMinutes(mask, zone.clock, after, until, limits);
  }

  /** True when the event's timing matches the minute (Unix seconds), whether it is enabled or not. */
  isDue(event: EventRecord, minute: number): boolean {
    const mask = compileTiming(event.timing);
    return mask !== undefined && isMatch(mask, this.#clock(this.#timezoneOf(event)).at(minute));
  }

  #timezoneOf(event: EventRecord): string {
    const known = this.#clocks.has(event.timezone) || isTimezone(event.timezone);
    return known ? event.timezone : this.#defaultTimezone;
  }

  #zone(timezone: string): ZoneTable {
    let zone = this.#zones.get(timezone);
    if (zone === undefined) {
      zone = new ZoneTable(timezone, this.#clock(timezone));
      this.#zones.set(timezone, zone);
    }
    return zone;
  }

  #clock(timezone: string): WallClock {
    let clock = this.#clocks.get(timezone);
    if (clock === undefined) {
      clock = new WallClock(timezone);
      this.#clocks.set(timezone, clock);
    }
    return clock;
  }
}
