import { describe, expect, test } from '@jest/globals';
import type { EventRecord } from '@carillon/contract';
import { type ClusterState, planUpcoming, ScheduleIndex, type UpcomingWish } from '@carillon/core';
import fc from 'fast-check';
import { aCategory, anEvent, aPlugin, apply, aState } from '../support/builders.js';

/** 2023-11-14 22:13:30 UTC. */
const nowMs = 1_700_000_010_000;
const minute = 60;
const present = 1_699_999_980;

function indexOf(state: ClusterState): ScheduleIndex {
  const index = new ScheduleIndex('UTC');
  for (const entry of state.events.page(0, state.events.size).reverse()) index.put(entry.record, entry.seq);
  return index;
}

function upcoming(state: ClusterState, wish: Partial<UpcomingWish> = {}, maxScanned?: number) {
  const whole = { minutes: 60, offset: 0, limit: 1000, isVisible: () => true, ...wish };
  const found = planUpcoming({ state, index: indexOf(state), nowMs }, whole, maxScanned);
  return { ...found, launches: found.launches.map(({ event, minute: at }) => [event.id, at - present]) };
}

const at = (id: string, minutes: number[], more: Partial<EventRecord> = {}) =>
  anEvent({ id, timing: { minutes }, ...more });

describe('upcoming launches', () => {
  test('by minute, then the newest event first, from the next minute on', () => {
    const state = aState([at('old', [13, 15]), at('new', [15, 20])]);
    expect(upcoming(state)).toEqual({
      launches: [
        ['new', 2 * minute],
        ['old', 2 * minute],
        ['new', 7 * minute],
        ['old', 60 * minute],
      ],
      length: 4,
      until: present + 3600,
    });
  });

  test('pages show parts of the same list and count all of it', () => {
    const state = aState([at('a', [15, 16, 17]), at('b', [15, 17])]);
    const { launches } = upcoming(state);
    expect(launches).toHaveLength(5);
    for (let offset = 0; offset <= 6; offset += 1) {
      const page = upcoming(state, { offset, limit: 2 });
      expect(page).toMatchObject({ launches: launches.slice(offset, offset + 2), length: 5 });
    }
  });

  test.each<[string, Partial<EventRecord>]>([
    ['is disabled', { enabled: 0 }],
    ['has no timing', { timing: false }],
    ['has a disabled category', { category: 'off' }],
    ['has a disabled plugin', { plugin: 'off' }],
    ['is in a category that is gone', { category: 'gone' }],
  ])('an event that %s is left out', (_what, fields) => {
    const state = aState([anEvent(fields)]);
    apply(state, [
      { type: 'put', table: 'categories', seq: 8, record: aCategory({ id: 'off', enabled: 0 }) },
      { type: 'put', table: 'plugins', seq: 8, record: aPlugin({ id: 'off', enabled: 0 }) },
    ]);
    expect(upcoming(state)).toMatchObject({ launches: [], length: 0 });
  });

  test('what a caller may not see is not counted', () => {
    const state = aState([at('mine', [15]), at('theirs', [15])]);
    const seen: string[] = [];
    const isVisible = (event: EventRecord) => {
      seen.push(event.id);
      return event.id === 'mine';
    };
    expect(upcoming(state, { isVisible, minutes: 180 })).toMatchObject({ length: 3 });
    expect(seen.sort()).toEqual(['mine', 'theirs']);
  });

  test('minutes that a cursor has passed are done', () => {
    const state = aState([anEvent()]);
    apply(state, [{ type: 'cursor', event: 'e1', minute: present + 2 * minute }]);
    expect(upcoming(state, { minutes: 4 }).launches).toEqual([
      ['e1', 3 * minute],
      ['e1', 4 * minute],
    ]);
  });

  test('there are none while the scheduler is off', () => {
    const state = aState([anEvent()]);
    apply(state, [{ type: 'switch', enabled: 0 }]);
    expect(upcoming(state)).toEqual({ launches: [], length: 0, until: present + 3600 });
  });

  test('a bounded search says how far it came, and looks at one minute at least', () => {
    const state = aState([anEvent()]);
    // One event and one zone: 201 for the look, 1 for the find.
    expect(upcoming(state, {}, 3 * 202)).toMatchObject({ length: 3, until: present + 3 * minute });
    expect(upcoming(state, {}, 1)).toMatchObject({ length: 1, until: present + minute });
  });

  test('agrees with the minutes each event is due in', () => {
    const some = (from: number, to: number) =>
      fc.uniqueArray(fc.integer({ min: from, max: to }), { maxLength: 4 });
    const timing = fc.record({ minutes: some(0, 59), hours: some(0, 23) });
    const zone = fc.constantFrom('UTC', 'Europe/London', 'Asia/Kolkata');
    fc.assert(
      fc.property(fc.array(fc.tuple(timing, zone), { maxLength: 6 }), (settings) => {
        const events = settings.map(([one, timezone], n) => anEvent({ id: `e${n}`, timing: one, timezone }));
        const state = aState(events);
        const { launches, length } = upcoming(state, { minutes: 1440, limit: 100_000 });
        const index = indexOf(state);
        const expected = events.flatMap(({ id }) => {
          const limits = { maxDue: 100_000, maxScanned: 100_000 };
          const due = index.dueMinutesOf(id, present, present + 86_400, limits)?.minutes ?? [];
          return due.map((one) => `${id} ${one - present}`);
        });
        expect(launches.map(([id, one]) => `${id} ${one}`).sort()).toEqual(expected.sort());
        expect(length).toBe(expected.length);
      }),
      { numRuns: 30 },
    );
  });
});
