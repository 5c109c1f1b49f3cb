import { describe, expect, test } from '@jest/globals';
import { CarillonError, checkTiming, type Timing } from '@carillon/contract';
import { parseCrontabExpression } from '@carillon/core';
import fc from 'fast-check';

describe('parseCrontabExpression', () => {
  test.each<[string, Timing]>([
    ['* * * * *', {}],
    ['30 4 1,15 * 5', { minutes: [30], hours: [4], days: [1, 15], weekdays: [5] }],
    ['*/15 * * * *', { minutes: [0, 15, 30, 45] }],
    ['0-30/10 * * * *', { minutes: [0, 10, 20, 30] }],
    ['0 22 * * 1-5', { minutes: [0], hours: [22], weekdays: [1, 2, 3, 4, 5] }],
    ['0 0 * JAN,mar Sun', { minutes: [0], hours: [0], months: [1, 3], weekdays: [0] }],
    ['0 0 * january Monday-Friday/2', { minutes: [0], hours: [0], months: [1], weekdays: [1, 3, 5] }],
    ['0 0 * * 7', { minutes: [0], hours: [0], weekdays: [0] }],
    ['0 0 * * 5-7', { minutes: [0], hours: [0], weekdays: [0, 5, 6] }],
    ['0 0 1 1 * 2030,2031', { minutes: [0], hours: [0], days: [1], months: [1], years: [2030, 2031] }],
    ['5', { minutes: [5] }],
    ['  5   6  ', { minutes: [5], hours: [6] }],
    ['60 24 0 13 *', { minutes: [0], hours: [0], days: [1], months: [1] }],
    ['59,1,1,0 * * * *', { minutes: [0, 1, 59] }],
    ['0-59 0-23 1-31 1-12 0-6', {}],
    ['@yearly', { minutes: [0], hours: [0], days: [1], months: [1] }],
    ['@annually', { minutes: [0], hours: [0], days: [1], months: [1] }],
    ['@monthly', { minutes: [0], hours: [0], days: [1] }],
    ['@weekly', { minutes: [0], hours: [0], weekdays: [0] }],
    [' @Daily ', { minutes: [0], hours: [0] }],
    ['@hourly', { minutes: [0] }],
  ])('%j', (text, timing) => {
    expect(parseCrontabExpression(text, 'Title')).toEqual(timing);
  });

  test.each([
    ['', 'Invalid crontab format: '],
    ['1 2 3 4 5 6 7', 'Invalid crontab format: 1 2 3 4 5 6 7'],
    ['x * * * *', 'Invalid crontab format: x'],
    ['1, * * * *', 'Invalid crontab format: '],
    ['5-1 * * * *', 'Invalid crontab format: 5-1'],
    ['*/0 * * * *', 'Invalid crontab format: */0'],
    ['3/5 * * * *', 'Invalid crontab format: 3/5'],
    ['*-5 * * * *', 'Invalid crontab format: *-5'],
    ['-1 * * * *', 'Invalid crontab format: -1'],
    ['1.5 * * * *', 'Invalid crontab format: 1.5'],
    ['jan * * * *', 'Invalid crontab format: jan'],
    ['0-99999999999 * * * *', 'Invalid crontab format: 0-99999999999'],
    ['@reboot', 'Invalid crontab keyword: @reboot'],
    ['@constructor', 'Invalid crontab keyword: @constructor'],
  ])('%j is refused', (text, message) => {
    expect(() => parseCrontabExpression(text, 'Title')).toThrow(new CarillonError('api', message));
  });

  test('h is one value per title and field, the same each time, spread over titles', () => {
    const minuteOf = (title: string): number => parseCrontabExpression('h h * * *', title).minutes?.[0] ?? -1;
    const titles = Array.from({ length: 600 }, (_, index) => `Event ${index}`);
    expect(titles.map(minuteOf)).toEqual(titles.map(minuteOf));
    expect(new Set(titles.map(minuteOf)).size).toBe(60);
    expect(parseCrontabExpression('h h * * *', 'a')).toEqual(parseCrontabExpression('h h', 'a'));
  });

  test('whatever comes in: a valid timing or a coded error', () => {
    const field = fc.stringMatching(/^[-*0-9a-z,/ h@]{0,12}$/);
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(field, { maxLength: 7 }).map((list) => list.join(' ')),
        ),
        (text) => {
          let timing: Timing;
          try {
            timing = parseCrontabExpression(text, 'Title');
          } catch (error) {
            expect(error).toBeInstanceOf(CarillonError);
            expect(String(error)).toMatch(/Invalid crontab (format|keyword): /);
            return;
          }
          expect(checkTiming(timing)).toBeUndefined();
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
