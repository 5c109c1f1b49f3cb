import type { HistoryRow, JobFields } from '@carillon/contract';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { expiredRows, historyRow, keepDays, movedEnds, rowEndSec } from '../../src/index.js';

const daySec = 86_400;
const nowSec = 1_700_000_000;

const record = (fields: Record<string, unknown> = {}): JobFields =>
  ({ id: 'j1', event: 'e1', params: {}, ...fields }) as unknown as JobFields;
const row = (id: string, ageDays: number, ownDays?: number): HistoryRow => ({
  ...historyRow(
    record({ id, ...(ownDays === undefined ? {} : { log_expire_days: ownDays }) }),
    (nowSec - ageDays * daySec) * 1000,
  ),
});

describe('days kept', () => {
  test.each([
    [undefined, 180],
    [0, 180],
    [-1, 180],
    [Number.NaN, 180],
    ['30', 180],
    [null, 180],
    [0.5, 0.5],
    [30, 30],
    [400, 400],
  ])('own %p of a setting of 180: %d', (own, days) => {
    expect(keepDays(own, 180)).toBe(days);
  });

  test('a row carries the days of its job, and only such as count', () => {
    expect(row('j1', 0, 30)).toMatchObject({ log_expire_days: 30 });
    for (const own of [undefined, 0, -5]) expect(row('j1', 0, own)).not.toHaveProperty('log_expire_days');
  });
});

describe('rows whose time is over', () => {
  test.each<[string, number, number | undefined, number, boolean]>([
    ['younger than the setting', 9.9, undefined, 10, false],
    ['as old as the setting', 10, undefined, 10, true],
    ['kept when the setting was raised', 10, undefined, 11, false],
    ['days of its own, longer', 10, 11, 5, false],
    ['days of its own, over', 11, 11, 500, true],
    ['days of its own, shorter', 2, 1, 500, true],
  ])('%s', (_name, ageDays, ownDays, presetDays, isOver) => {
    expect(expiredRows([row('j1', ageDays, ownDays)], presetDays, nowSec).length).toBe(isOver ? 1 : 0);
  });

  test('for any rows: those left are exactly those whose end is to come, in their order', () => {
    const rows = fc.array(
      fc.tuple(
        fc.integer({ min: -1, max: 40 }),
        fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
      ),
    );
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 40 }), (ages, presetDays) => {
        const all = ages.map(([age, own], index) => row(`j${index}`, age, own));
        const over = expiredRows(all, presetDays, nowSec);
        expect(
          all.filter((one) => !over.includes(one)).every((one) => rowEndSec(one, presetDays) > nowSec),
        ).toBe(true);
        expect(over).toEqual(all.filter((one) => rowEndSec(one, presetDays) <= nowSec));
      }),
    );
  });
});

describe('ends moved by a changed setting', () => {
  test.each<[string, Record<string, unknown>, number]>([
    ['from the end of the job', { now: nowSec - 500, time_end: nowSec - 100.5 }, nowSec - 100],
    [
      'from its launch, where the clock of its worker was behind',
      { now: nowSec - 500, time_end: 7 },
      nowSec - 500,
    ],
    ['from now, where it was ahead', { now: nowSec - 500, time_end: nowSec * 2 }, nowSec],
    ['from its launch, where it never ran', { now: nowSec - 500 }, nowSec - 500],
    ['nothing known counts as long ago', {}, 0],
  ])('%s', (_name, fields, fromSec) => {
    expect(movedEnds([record(fields)], 10, nowSec)).toEqual([{ job: 'j1', untilSec: fromSec + 10 * daySec }]);
  });

  test('jobs with days of their own are left out', () => {
    const records = [record({ id: 'a', log_expire_days: 3 }), record({ id: 'b', log_expire_days: 0 })];
    expect(movedEnds(records, 10, nowSec).map((end) => end.job)).toEqual(['b']);
  });
});
