import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkTiming, compileSchema, Timing } from '../../src/index.js';

describe('checkTiming (behaviour reference 1.6)', () => {
  test.each<[unknown, string | undefined]>([
    [undefined, undefined],
    [null, undefined],
    [false, undefined],
    [0, undefined],
    ['', undefined],
    [{}, undefined],
    [{ years: [2015], months: [3], days: [1, 15], weekdays: [0], hours: [6], minutes: [59] }, undefined],
    [{ minutes: [] }, undefined],
    [[], 'Malformed event parameter: timing (must be object)'],
    ['daily', 'Malformed event parameter: timing (must be object)'],
    [1, 'Malformed event parameter: timing (must be object)'],
    [true, 'Malformed event parameter: timing (must be object)'],
    [{ seconds: [1] }, 'Unknown event timing parameter: seconds'],
    [{ constructor: [1] }, 'Unknown event timing parameter: constructor'],
    [{ minutes: 5 }, 'Malformed event timing parameter: minutes (must be array)'],
    [{ minutes: null }, 'Malformed event timing parameter: minutes (must be array)'],
    [{ minutes: ['5'] }, 'Malformed event timing parameter: minutes (must be array of numbers)'],
    [{ minutes: [60] }, 'Malformed event timing parameter: minutes (value out of range: 60)'],
    [{ minutes: [1.5] }, 'Malformed event timing parameter: minutes (value out of range: 1.5)'],
    [{ months: [0] }, 'Malformed event timing parameter: months (value out of range: 0)'],
    [{ days: [32] }, 'Malformed event timing parameter: days (value out of range: 32)'],
    [{ weekdays: [-1] }, 'Malformed event timing parameter: weekdays (value out of range: -1)'],
    [{ hours: [24] }, 'Malformed event timing parameter: hours (value out of range: 24)'],
    [{ years: [0] }, 'Malformed event timing parameter: years (value out of range: 0)'],
    [{ minutes: Array(513).fill(0) }, 'Malformed event timing parameter: minutes (more than 512 values)'],
  ])('%j', (timing, expected) => {
    expect(checkTiming(timing)).toBe(expected);
  });

  test('agrees with the schema on every object', () => {
    const isTiming = compileSchema(Timing);
    const field = fc.constantFrom('years', 'months', 'days', 'weekdays', 'hours', 'minutes', 'seconds');
    const values = fc.oneof(fc.array(fc.integer({ min: -2, max: 62 })), fc.jsonValue());
    fc.assert(
      fc.property(fc.dictionary(field, values), (timing) => {
        expect(checkTiming(timing) === undefined).toBe(isTiming(timing));
      }),
    );
  });
});
