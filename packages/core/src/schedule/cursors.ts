import type { EventRecord } from '@carillon/contract';
import type { Change } from '../state/change.js';
import type { ClusterState } from '../state/cluster-state.js';
import { floorMinute } from './tick.js';

const minuteSec = 60;
const daySec = 86_400;

/**
 * What switching the scheduler means for cursors (behaviour reference 4.5); `state` is as before the switch.
 * Off: every catch-up event keeps the minute it is done up to, so that it accumulates. On: the tick moves to the
 * current minute, so that normal events neither launch nor miss what lies in between. Empty without a change.
 */
export function cursorChangesForSwitch(state: ClusterState, enabled: 0 | 1, nowMs: number): Change[] {
  if (Boolean(state.enabled) === Boolean(enabled)) return [];
  const current = floorMinute(nowMs / 1000);
  const changes: Change[] = [];
  for (const event of state.events.newestFirst()) {
    if (!event.catch_up || !event.enabled || state.cursors.has(event.id)) continue;
    changes.push({ type: 'cursor', event: event.id, minute: state.tickMinute ?? current });
  }
  if (enabled && isTickStale(state, current)) changes.push({ type: 'tick', minute: current });
  return changes;
}

/**
 * A tick a little ahead of the clock (which was set back) must stay, or launches would be repeated; one that is
 * days ahead was made by a wrong clock and would stop the schedule for as long.
 */
function isTickStale(state: ClusterState, current: number): boolean {
  const tick = state.tickMinute;
  return tick === undefined || tick < current || tick > current + daySec;
}

/**
 * What creating (`before` undefined) or updating an event means for its cursor; `state` is as before the
 * write. A new event and one that is switched on start after the current minute. A catch-up event that is
 * disabled keeps the minute it is done up to and accumulates. `resetCursorSec` (Unix seconds; 0 = none) sets the
 * clock of a catch-up event so that its minute is the first considered (behaviour reference 4.8); other
 * events have no clock of their own.
 */
export function cursorChangesForUpdate(
  before: EventRecord | undefined,
  after: EventRecord,
  state: ClusterState,
  nowMs: number,
  resetCursorSec?: number,
): Change[] {
  const id = after.id;
  const wanted = plannedCursor(before, after, state, floorMinute(nowMs / 1000), resetCursorSec ?? 0);
  const present = state.cursors.get(id);
  if (wanted === present) return [];
  return [{ type: 'cursor', event: id, minute: wanted ?? null }];
}

function plannedCursor(
  before: EventRecord | undefined,
  after: EventRecord,
  state: ClusterState,
  current: number,
  resetCursorSec: number,
): number | undefined {
  const present = state.cursors.get(after.id);
  if (after.catch_up && resetCursorSec > 0) return floorMinute(resetCursorSec - minuteSec);
  const runs = Boolean(after.enabled && state.enabled);
  const wasCatchUp = Boolean(before?.catch_up);
  const wasIdle = !before?.enabled || !state.enabled;
  if (before === undefined || (wasIdle && !wasCatchUp)) {
    // Entries say something only when the event must not follow the tick.
    const accumulates = Boolean(after.catch_up) && !runs;
    const isTickBehind = state.tickMinute === undefined || state.tickMinute < current;
    if (!accumulates && !(runs && isTickBehind)) return ahead(present, state);
    return Math.max(current, present ?? current);
  }
  if (!after.catch_up) return wasCatchUp ? ahead(present, state) : present;
  return runs ? present : (present ?? state.tickMinute ?? current);
}

/** An entry written ahead during a tick must stay until the tick is over: it prevents a second launch. */
function ahead(present: number | undefined, state: ClusterState): number | undefined {
  if (present === undefined) return undefined;
  return state.tickMinute === undefined || present > state.tickMinute ? present : undefined;
}
