import type { EventRecord } from '@carillon/contract';
import { cursorChangesForSwitch, cursorChangesForUpdate } from '../schedule/cursors.js';
import { floorMinute } from '../schedule/tick.js';
import type { Change } from '../state/change.js';
import type { ClusterState } from '../state/cluster-state.js';
import { isEqual } from './collisions.js';
import type { ImportData } from './import-data.js';

interface Wishes {
  paused: boolean;
  catchUp: boolean;
}

/**
 * Where the events of an import go on, and what is known beside them: `placed` names the events that are written. Events
 * that the cluster has already keep their own place in time, so that nothing is launched twice; the others start
 * like new ones, catch-up events where the export left them.
 */
export function planImportedCursors(
  data: ImportData,
  placed: ReadonlySet<string>,
  wishes: Wishes,
  { state, nowMs }: { state: ClusterState; nowMs: number },
): Change[] {
  const changes: Change[] = [];
  const pausing = wishes.paused || data.state.enabled === 0;
  if (pausing) changes.push(...cursorChangesForSwitch(state, 0, nowMs), { type: 'switch', enabled: 0 });
  const idle = pausing || !state.enabled;
  for (const event of data.tables.events.values()) {
    if (!placed.has(event.id)) continue;
    const before = state.events.get(event.id);
    if (before === undefined) {
      changes.push(...startOf(event, data, { ...wishes, idle }, state, nowMs));
    } else if (!isEqual(before, event)) {
      changes.push(...cursorChangesForUpdate(before, event, state, nowMs));
    }
  }
  changes.push(...totalsOf(data, state));
  return changes;
}

function startOf(
  event: EventRecord,
  data: ImportData,
  wishes: { catchUp: boolean; idle: boolean },
  state: ClusterState,
  nowMs: number,
): Change[] {
  const { id } = event;
  const current = floorMinute(nowMs / 1000);
  const index = data.robins.get(id);
  const robin: Change[] = index === undefined ? [] : [{ type: 'robin', event: id, index }];
  if (!event.catch_up) return [...cursorChangesForUpdate(undefined, event, state, nowMs), ...robin];
  const left = data.cursors.get(id) ?? data.state.tick_minute;
  if (wishes.catchUp && left !== undefined) {
    const minutes = data.redos.get(id) ?? [];
    const redo: Change[] = minutes.length === 0 ? [] : [{ type: 'redo', event: id, minutes }];
    const minute = Math.min(current, floorMinute(left));
    return [{ type: 'cursor', event: id, minute }, ...redo, ...robin];
  }
  if (wishes.idle) return [{ type: 'cursor', event: id, minute: current }, ...robin];
  return [...cursorChangesForUpdate(undefined, event, state, nowMs), ...robin];
}

/** Those of a cluster that has done something itself stay. */
function totalsOf(data: ImportData, state: ClusterState): Change[] {
  const { stats } = data.state;
  const isFresh = Object.values(state.stats.totals).every((total) => total === 0);
  return stats === undefined || stats.day === '' || !isFresh ? [] : [{ type: 'totals', ...stats }];
}
