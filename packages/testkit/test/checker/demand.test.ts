import { describe, expect, test } from '@jest/globals';
import { type Demand, demandOf, type EventWrite } from '@carillon/testkit';

const at = 1_800_000_000;
const write = (
  what: EventWrite['what'],
  sec: number,
  fields: Record<string, unknown> = {},
  fate: EventWrite['fate'] = 'acknowledged',
): EventWrite => ({ event: 'e', what, fate, askedSec: at + sec, endedSec: at + sec + 2, fields });

const created = write('create', 10, { enabled: 1, timing: {} });
const off = { enabled: 0 };
const on = { enabled: 1 };

/** The demand of minutes 0 to 5 after `at`. */
const demands = (...writes: EventWrite[]): Demand[] =>
  [0, 1, 2, 3, 4, 5].map((n) => demandOf(writes, at + 60 * n));

const [must, may, not] = ['must', 'may', 'must not'] as const;

describe('an event that is due every minute', () => {
  test.each<[string, EventWrite[], Demand[]]>([
    ['starts after the minute in which it is created', [created], [not, must, must, must, must, must]],
    [
      'created while a minute begins may have that minute',
      [write('create', 59, { enabled: 1, timing: {} })],
      [not, may, must, must, must, must],
    ],
    [
      'created without an answer may be there',
      [{ ...created, fate: 'unsure' }],
      [not, may, may, may, may, may],
    ],
    ['without a timing never', [write('create', 10, on)], [not, not, not, not, not, not]],
    ['disabled from the start never', [write('create', 10, { ...off, timing: {} })], Array(6).fill(not)],
    [
      'switched off may miss the minutes of a late tick',
      [created, write('update', 200, off)],
      [not, must, may, may, not, not],
    ],
    [
      'switched off and on again starts after that minute',
      [created, write('update', 130, off), write('update', 190, on)],
      [not, may, may, not, must, must],
    ],
    [
      'keeps its minutes when other fields change',
      [created, write('update', 130, { notes: 'x' })],
      [not, must, must, must, must, must],
    ],
    ['deleted is not due any more', [created, write('delete', 250)], [not, must, must, may, may, not]],
    [
      'switched off without an answer may be due',
      [created, write('update', 200, off, 'unsure')],
      [not, must, may, may, may, may],
    ],
  ])('%s', (_what, writes, expected) => {
    expect(demands(...writes)).toEqual(expected);
  });
});
