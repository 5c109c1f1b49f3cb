import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatBytes, formatDuration, formatTime } from '../src/format/quantities.js';
import { formatPairs, formatTable } from '../src/format/table.js';
import { describeTiming, normaliseTiming } from '../src/format/timing.js';

const count = (length: number, step = 1, first = 0): number[] =>
  Array.from({ length }, (_, index) => first + index * step);

describe('timing in words', () => {
  test.each([
    [undefined, 'on demand'],
    [false, 'on demand'],
    ['', 'on demand'],
    [{}, 'every minute'],
    [{ minutes: [] }, 'every minute'],
    [{ minutes: count(60), hours: count(24) }, 'every minute'],
    [{ minutes: [0] }, 'hourly at :00'],
    [{ minutes: [35, 5] }, 'hourly at :05, :35'],
    [{ minutes: [0, 15, 30, 45] }, 'every 15 minutes'],
    [{ minutes: count(12, 5) }, 'every 5 minutes'],
    [{ minutes: [5, 15, 25, 35, 45, 55] }, '5,15,25,35,45,55 * * * *'],
    [{ hours: [4, 16], minutes: [30] }, 'daily at 04:30, 16:30'],
    [{ hours: count(12, 2), minutes: [5] }, 'every 2 hours at :05'],
    [{ hours: [4] }, '* 4 * * *'],
    [{ weekdays: [1, 2, 3, 4, 5], hours: [9], minutes: [0] }, 'Mon-Fri at 09:00'],
    [{ weekdays: [0, 6], hours: [9], minutes: [0] }, 'Sun, Sat at 09:00'],
    [{ weekdays: [1, 2], minutes: [0, 30] }, 'Mon, Tue every 30 minutes'],
    [{ days: [1, 15], hours: [0], minutes: [0] }, 'monthly on 1,15 at 00:00'],
    [{ days: [13], weekdays: [5], hours: [0], minutes: [0] }, '0 0 13 * 5'],
    [
      {
        years: [2015],
        months: [3, 4, 5],
        days: [1, 15],
        weekdays: [1, 2, 3, 4, 5],
        hours: [6, 7, 8, 9, 10],
        minutes: [15, 45],
      },
      '15,45 6-10 1,15 3-5 1-5 2015',
    ],
    [{ months: [1], minutes: count(30, 2) }, '*/2 * * 1 *'],
  ])('%j', (timing, expected) => {
    expect(describeTiming(timing)).toBe(expected);
  });

  test('order and repetitions of the values do not matter', () => {
    const values = fc.array(fc.integer({ min: 0, max: 23 }), { minLength: 1 });
    fc.assert(
      fc.property(values, (hours) => {
        const same = { hours: [...hours, ...hours].reverse() };
        expect(normaliseTiming(same)).toEqual(normaliseTiming({ hours }));
        expect(describeTiming(same)).toBe(describeTiming({ hours }));
      }),
    );
  });
});

describe('quantities', () => {
  test.each([
    [undefined, ''],
    [0, '0s'],
    [0.44, '0.4s'],
    [9.96, '10s'],
    [59.6, '1m 00s'],
    [185, '3m 05s'],
    [7384, '2h 03m'],
    [352_800, '4d 02h'],
  ])('%j seconds are %j', (seconds, expected) => {
    expect(formatDuration(seconds)).toBe(expected);
  });

  test.each([
    [undefined, ''],
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KB'],
    [214_564_864, '205 MB'],
    [2 ** 60, '1048576 TB'],
  ])('%j bytes are %j', (bytes, expected) => {
    expect(formatBytes(bytes)).toBe(expected);
  });

  test('times are of the given zone', () => {
    expect(formatTime(1_451_341_765.987, 'UTC')).toBe('2015-12-28 22:29:25');
    expect(formatTime(1_451_341_765.987, 'Asia/Kolkata')).toBe('2015-12-29 03:59:25');
    expect(formatTime(undefined)).toBe('');
  });
});

describe('tables', () => {
  const columns = [
    { title: 'NAME', value: (row: { name: string; size: number }) => row.name, cut: true },
    { title: 'SIZE', value: (row: { name: string; size: number }) => row.size, right: true },
  ];

  test('are aligned, and text of others cannot reach the terminal', () => {
    const rows = [
      { name: 'a\u001b[2Jb', size: 5 },
      { name: 'glück 🔔', size: 1234 },
    ];
    expect(formatTable(rows, columns)).toBe('NAME     SIZE\na [2Jb      5\nglück 🔔  1234');
  });

  test('give way to the width where they may', () => {
    const rows = [{ name: 'a very long name indeed', size: 1 }];
    expect(formatTable(rows, columns, 20)).toBe('NAME            SIZE\na very long n…     1');
    expect(formatTable(rows, columns, 3).split('\n')[1]).toBe('a very …     1');
  });

  test('pairs without a value are left out', () => {
    const text = formatPairs([
      ['id', 'e1'],
      ['notes', ''],
      ['category', 0],
    ]);
    expect(text).toBe('id        e1\ncategory  0');
  });
});
