import { describe, expect, test } from '@jest/globals';
import type { Timing } from '@carillon/contract';
import { compileTiming, isTimezone, ScheduleIndex, WallClock, wallTime } from '@carillon/core';
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { anEvent } from '../support/builders.js';

const minuteOf = (iso: string): number => DateTime.fromISO(iso, { zone: 'UTC' }).toSeconds();

describe('time zones', () => {
  test.each(['Europe/London', 'UTC', 'Asia/Kolkata', 'America/Argentina/Ushuaia'])('%s is one', (name) => {
    expect(isTimezone(name)).toBe(true);
  });
  test.each(['', 'Mars/Olympus', '+05:00', 'local', ' UTC', 'Europe/London\n', '../etc', 'utc+2'])(
    '%j is none',
    (name) => {
      expect(isTimezone(name)).toBe(false);
    },
  );
  test('an unknown zone has no clock', () => {
    expect(() => new WallClock('Mars/Olympus')).toThrow(RangeError);
    expect(() => new ScheduleIndex('')).toThrow(RangeError);
  });

  test('calendar fields agree with the library from year 1 to 9999', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }), (second) => {
        const { year, month, day, weekday, hour, minute } = DateTime.fromSeconds(second, { zone: 'UTC' });
        expect(wallTime(second)).toEqual({ year, month, day, weekday: weekday % 7, hour, minute });
      }),
    );
  });
});

describe('timings', () => {
  test.each<[string, Timing | false | null | undefined]>([
    ['absent', undefined],
    ['false', false],
    ['null', null],
    ['values no minute has', { minutes: [61] }],
    ['fractions', { hours: [4.5] }],
  ])('%s: never due', (_name, timing) => {
    expect(compileTiming(timing)).toBeUndefined();
  });

  test.each<[Timing, string, boolean]>([
    [{}, '2026-05-03T12:34', true],
    [{ minutes: [] }, '2026-05-03T12:34', true],
    [{ minutes: [34] }, '2026-05-03T12:34', true],
    [{ minutes: [4] }, '2026-05-03T12:34', false],
    [{ minutes: [34], hours: [11] }, '2026-05-03T12:34', false],
    [{ hours: [4] }, '2026-05-03T04:59', true],
    [{ weekdays: [0] }, '2026-05-03T00:00', true],
    [{ weekdays: [1] }, '2026-05-03T00:00', false],
    [{ days: [31], months: [12] }, '2026-12-31T23:59', true],
    [{ days: [31], months: [11] }, '2026-12-31T23:59', false],
    [{ years: [2015] }, '2026-01-01T00:00', false],
    [{ years: [2015, 2026] }, '2026-01-01T00:00', true],
    [{ days: [3], weekdays: [1] }, '2026-05-03T00:00', false],
  ])('%j at %s: %s', (timing, iso, expected) => {
    const index = new ScheduleIndex('UTC');
    const event = anEvent({ timing });
    index.put(event);
    expect(index.isDue(event, minuteOf(iso))).toBe(expected);
    expect(index.dueAt(minuteOf(iso))).toEqual(expected ? ['e1'] : []);
  });
});

describe('ScheduleIndex', () => {
  test('only enabled events with a timing are due', () => {
    const index = new ScheduleIndex('UTC');
    index.put(anEvent({ id: 'off', enabled: 0 }));
    index.put(anEvent({ id: 'demand', timing: false }));
    index.put(anEvent({ id: 'on' }));
    expect(index.dueAt(0)).toEqual(['on']);
    index.put(anEvent({ id: 'on', enabled: 0 }));
    expect(index.dueAt(0)).toEqual([]);
    expect(index.size).toBe(0);
  });

  test('events without a valid zone follow the default zone', () => {
    const index = new ScheduleIndex('Asia/Kolkata');
    index.put(anEvent({ timezone: '', timing: { hours: [5], minutes: [30] } }));
    expect(index.dueAt(0)).toEqual(['e1']);
  });

  test('newest first; a replaced event keeps its place', () => {
    const index = new ScheduleIndex('UTC');
    for (const id of ['a', 'b', 'c']) index.put(anEvent({ id }));
    index.put(anEvent({ id: 'a', title: 'changed' }));
    index.put(anEvent({ id: 'z', timezone: 'Asia/Kolkata' }), 2);
    expect(index.dueAt(60)).toEqual(['c', expect.stringMatching(/[bz]/), expect.stringMatching(/[bz]/), 'a']);
  });

  test('after any puts and deletes, what is due is what a plain look at all events says', () => {
    const events = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      enabled: fc.constantFrom(0 as const, 1 as const),
      timezone: fc.constantFrom('UTC', 'Asia/Kolkata', 'America/St_Johns', 'nowhere'),
      timing: fc.option(
        fc.record(
          {
            minutes: fc.array(fc.integer({ min: 0, max: 59 }), { maxLength: 40 }),
            hours: fc.array(fc.integer({ min: 0, max: 23 }), { maxLength: 20 }),
            weekdays: fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 6 }),
            days: fc.array(fc.integer({ min: 1, max: 31 }), { maxLength: 25 }),
            months: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 11 }),
            years: fc.array(fc.constantFrom(2025, 2026), { maxLength: 2 }),
          },
          { requiredKeys: [] },
        ),
        { nil: false as const },
      ),
    });
    const steps = fc.array(
      fc.oneof({ weight: 3, arbitrary: events }, { weight: 1, arbitrary: events.map((e) => e.id) }),
    );
    const moments = fc.array(fc.integer({ min: 1_735_689_600 / 60, max: 1_798_761_600 / 60 }), {
      minLength: 20,
    });
    fc.assert(
      fc.property(steps, moments, (list, minutes) => {
        const index = new ScheduleIndex('UTC');
        const model = new Map<string, ReturnType<typeof anEvent>>();
        for (const step of list) {
          if (typeof step === 'string') {
            index.delete(step);
            model.delete(step);
          } else {
            index.put(anEvent(step));
            model.set(step.id, anEvent(step));
          }
        }
        for (const number of minutes) {
          const due = [...model.values()].filter(
            (event) => event.enabled && isDuePlainly(event, number * 60),
          );
          expect(index.dueAt(number * 60).sort()).toEqual(due.map((event) => event.id).sort());
        }
      }),
    );
  });
});

function isDuePlainly(event: ReturnType<typeof anEvent>, second: number): boolean {
  const { timing } = event;
  if (!timing) return false;
  const zone = event.timezone === 'nowhere' ? 'UTC' : event.timezone;
  const wall = DateTime.fromSeconds(second, { zone });
  const has = (values: readonly number[] | undefined, value: number): boolean =>
    values === undefined || values.length === 0 || values.includes(value);
  return (
    has(timing.minutes, wall.minute) &&
    has(timing.hours, wall.hour) &&
    has(timing.days, wall.day) &&
    has(timing.weekdays, wall.weekday % 7) &&
    has(timing.months, wall.month) &&
    has(timing.years, wall.year)
  );
}
