import { describe, expect, test } from '@jest/globals';
import { compileTiming, dueMinutes, ScheduleIndex, WallClock } from '@carillon/core';
import { DateTime } from 'luxon';
import { anEvent } from '../support/builders.js';

const day = 86_400;

/** Due minutes of a timing on one calendar day of a zone, as wall time with offset. */
function runsOn(timezone: string, date: string, timing: object): string[] {
  const start = DateTime.fromISO(date, { zone: timezone }).toSeconds();
  const end = DateTime.fromISO(date, { zone: timezone }).plus({ days: 1 }).toSeconds();
  const mask = compileTiming(timing);
  if (mask === undefined) return [];
  const clock = new WallClock(timezone);
  const limits = { maxDue: 10_000, maxScanned: 100_000 };
  const { minutes } = dueMinutes(mask, clock, start - 60, end - 60, limits);
  return minutes.map((minute) => DateTime.fromSeconds(minute, { zone: timezone }).toFormat('HH:mm ZZ'));
}

describe('daylight saving: skipped times do not run, repeated times run twice', () => {
  test.each([
    ['America/New_York', '2026-03-08', { hours: [2], minutes: [30] }, []],
    ['America/New_York', '2026-11-01', { hours: [1], minutes: [30] }, ['01:30 -04:00', '01:30 -05:00']],
    ['Europe/London', '2026-03-29', { hours: [1], minutes: [30] }, []],
    ['Europe/London', '2026-10-25', { hours: [1], minutes: [30] }, ['01:30 +01:00', '01:30 +00:00']],
    ['Australia/Lord_Howe', '2026-10-04', { hours: [2], minutes: [0, 15, 29] }, []],
    ['Australia/Lord_Howe', '2026-10-04', { hours: [2], minutes: [30] }, ['02:30 +11:00']],
    ['Australia/Lord_Howe', '2026-04-05', { hours: [1], minutes: [29] }, ['01:29 +11:00']],
    ['Australia/Lord_Howe', '2026-04-05', { hours: [1], minutes: [30] }, ['01:30 +11:00', '01:30 +10:30']],
    ['Australia/Lord_Howe', '2026-04-05', { hours: [1], minutes: [59] }, ['01:59 +11:00', '01:59 +10:30']],
    ['America/St_Johns', '2026-03-08', { hours: [2], minutes: [30] }, []],
    ['America/St_Johns', '2026-11-01', { hours: [1], minutes: [30] }, ['01:30 -02:30', '01:30 -03:30']],
    ['Asia/Kolkata', '2026-03-29', { hours: [1], minutes: [30] }, ['01:30 +05:30']],
  ])('%s %s %j', (timezone, date, timing, expected) => {
    expect(runsOn(timezone, date, timing)).toEqual(expected);
  });

  test.each([
    ['America/New_York', '2026-03-08', 0, 23],
    ['America/New_York', '2026-11-01', 0, 25],
    ['Europe/London', '2026-03-29', 0, 23],
    ['Europe/London', '2026-10-25', 0, 25],
    ['Australia/Lord_Howe', '2026-10-04', 15, 23],
    ['Australia/Lord_Howe', '2026-10-04', 30, 24],
    ['Australia/Lord_Howe', '2026-04-05', 15, 24],
    ['Australia/Lord_Howe', '2026-04-05', 30, 25],
    ['Asia/Kolkata', '2026-03-29', 0, 24],
  ])('%s %s: an hourly event at minute %i runs %i times', (timezone, date, minute, times) => {
    expect(runsOn(timezone, date, { minutes: [minute] })).toHaveLength(times);
  });
});

describe('every real minute is looked at exactly once', () => {
  const zones = [
    'America/New_York',
    'Europe/London',
    'Australia/Lord_Howe',
    'America/St_Johns',
    'Asia/Kolkata',
  ];

  test.each(zones)('%s, all of 2026', (timezone) => {
    const start = DateTime.fromISO('2026-01-01', { zone: 'UTC' }).toSeconds();
    const mask = compileTiming({});
    if (mask === undefined) throw new Error('an empty timing is due every minute');
    const limits = { maxDue: 1_000_000, maxScanned: 1_000_000 };
    const found = dueMinutes(mask, new WallClock(timezone), start, start + 365 * day, limits);
    expect(found.minutes).toHaveLength(365 * 1440);
    expect(found.minutes.every((minute, index) => minute === start + (index + 1) * 60)).toBe(true);
  });

  test.each(zones)('%s: the scan and the index agree with a calendar', (timezone) => {
    const timing = { hours: [1, 2], minutes: [0, 15, 30, 59] };
    const mask = compileTiming(timing);
    const index = new ScheduleIndex('UTC');
    index.put(anEvent({ timezone, timing }));
    for (const date of ['2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01']) {
      const start = DateTime.fromISO(date, { zone: timezone }).toSeconds() - 7200;
      const wanted: number[] = [];
      for (let minute = start + 60; minute <= start + 36 * 3600; minute += 60) {
        const wall = DateTime.fromSeconds(minute, { zone: timezone });
        if (timing.hours.includes(wall.hour) && timing.minutes.includes(wall.minute)) wanted.push(minute);
        expect(index.dueAt(minute)).toEqual(wanted.at(-1) === minute ? ['e1'] : []);
      }
      const limits = { maxDue: 1_000, maxScanned: 10_000 };
      if (mask === undefined) throw new Error('the timing is due');
      const found = dueMinutes(mask, new WallClock(timezone), start, start + 36 * 3600, limits);
      expect(found).toEqual({ minutes: wanted, upTo: start + 36 * 3600 });
    }
  });
});
