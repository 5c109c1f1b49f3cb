import { describe, expect, test } from '@jest/globals';
import type { EventRecord } from '@carillon/contract';
import { type ClusterState, cursorChangesForSwitch, cursorChangesForUpdate } from '@carillon/core';
import { anEvent, aState } from '../support/builders.js';

const current = 1_760_000_040;
const nowMs = (current + 17) * 1000;
const ago = (count: number): number => current - count * 60;

interface Situation {
  tick?: number;
  cursor?: number;
  off?: boolean;
}

function stateOf(event: EventRecord | undefined, { tick = current, cursor, off }: Situation): ClusterState {
  const state = aState(event === undefined ? [] : [event]);
  state.tickMinute = tick;
  state.enabled = off ? 0 : 1;
  if (cursor !== undefined) state.cursors.set('e1', cursor);
  return state;
}

/** Cursor after the update: a minute, null for forgotten, undefined for unchanged. */
function after(
  before: Partial<EventRecord> | undefined,
  changes: Partial<EventRecord>,
  situation: Situation = {},
  resetCursorSec?: number,
): number | null | undefined {
  const old = before === undefined ? undefined : anEvent(before);
  const record = { ...(old ?? anEvent()), ...changes };
  const [change, ...more] = cursorChangesForUpdate(
    old,
    record,
    stateOf(old, situation),
    nowMs,
    resetCursorSec,
  );
  expect(more).toEqual([]);
  return change?.type === 'cursor' ? change.minute : undefined;
}

describe('creating', () => {
  test('after the tick of its minute an event needs no cursor', () => {
    expect(after(undefined, {})).toBeUndefined();
    expect(after(undefined, { catch_up: 1 })).toBeUndefined();
  });
  test('minutes before its creation are not its own', () => {
    expect(after(undefined, {}, { tick: ago(3) })).toBe(current);
    expect(after(undefined, { catch_up: 1 }, { tick: ago(3) })).toBe(current);
  });
  test('a catch-up event that may not run yet accumulates from now', () => {
    expect(after(undefined, { catch_up: 1, enabled: 0 })).toBe(current);
    expect(after(undefined, { catch_up: 1 }, { tick: ago(99), off: true })).toBe(current);
  });
});

describe('updating', () => {
  test('nothing about the schedule: nothing', () => {
    expect(after({ catch_up: 1 }, { title: 'x' })).toBeUndefined();
    expect(after({}, { title: 'x' })).toBeUndefined();
    expect(after({ catch_up: 1 }, { title: 'x' }, { cursor: ago(5) })).toBeUndefined();
  });
  test('a disabled catch-up event keeps its minute', () => {
    expect(after({ catch_up: 1 }, { enabled: 0 }, { tick: ago(1) })).toBe(ago(1));
    expect(after({ catch_up: 1 }, { enabled: 0 }, { cursor: ago(8) })).toBeUndefined();
  });
  test('an enabled catch-up event makes up from there', () => {
    expect(after({ catch_up: 1, enabled: 0 }, { enabled: 1 }, { cursor: ago(8) })).toBeUndefined();
  });
  test('an enabled normal event starts after now', () => {
    expect(after({ enabled: 0 }, { enabled: 1 }, { tick: ago(2) })).toBe(current);
    expect(after({ enabled: 0 }, { enabled: 1 })).toBeUndefined();
  });
  test('an event that begins to catch up does so from now, not from when it was disabled', () => {
    expect(after({ enabled: 0 }, { catch_up: 1 })).toBe(current);
    expect(after({}, { catch_up: 1 }, { tick: ago(50), off: true })).toBe(current);
    expect(after({}, { catch_up: 1 }, { tick: ago(1) })).toBeUndefined();
  });
  test('an event that no longer catches up forgets what it owes, but not what it has just launched', () => {
    expect(after({ catch_up: 1 }, { catch_up: 0 }, { cursor: ago(9) })).toBeNull();
    expect(after({ catch_up: 1 }, { catch_up: 0 }, { tick: ago(1), cursor: current })).toBeUndefined();
  });
  test('reset_cursor makes its own minute the first one considered', () => {
    expect(after({ catch_up: 1 }, {}, {}, ago(30) + 59)).toBe(ago(31));
    expect(after({ catch_up: 1 }, {}, {}, ago(30))).toBe(ago(31));
    expect(after({ catch_up: 1, enabled: 0 }, {}, { cursor: ago(2) }, ago(-5))).toBe(ago(-4));
    expect(after({ catch_up: 1 }, {}, {}, 0)).toBeUndefined();
    expect(after({}, {}, {}, ago(30))).toBeUndefined();
  });
});

describe('switching the scheduler', () => {
  const switched = (enabled: 0 | 1, situation: Situation) => {
    const state = stateOf(anEvent({ catch_up: 1 }), situation);
    state.applyChange({ type: 'put', table: 'events', seq: 9, record: anEvent({ id: 'normal' }) });
    return cursorChangesForSwitch(state, enabled, nowMs);
  };
  test('off: catch-up events keep their minute', () => {
    expect(switched(0, { tick: ago(1) })).toEqual([{ type: 'cursor', event: 'e1', minute: ago(1) }]);
    expect(switched(0, { cursor: ago(5) })).toEqual([]);
  });
  test('on: the gap is no business of normal events', () => {
    expect(switched(1, { off: true, tick: ago(60), cursor: ago(60) })).toEqual([
      { type: 'tick', minute: current },
    ]);
  });
  test('on, with a tick ahead of a clock that was set back: it stays', () => {
    expect(switched(1, { off: true, tick: ago(-2), cursor: ago(60) })).toEqual([]);
  });
  test('on, with a tick from a clock that was days ahead: it is corrected', () => {
    expect(switched(1, { off: true, tick: ago(-5000), cursor: ago(60) })).toEqual([
      { type: 'tick', minute: current },
    ]);
  });
  test('no change: nothing', () => {
    expect(switched(1, { tick: ago(5) })).toEqual([]);
    expect(switched(0, { tick: ago(5), off: true })).toEqual([]);
  });
});
