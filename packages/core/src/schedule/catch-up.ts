import type { Change } from '../state/change.js';
import type { ClusterState } from '../state/cluster-state.js';
import type { ScheduleIndex } from './schedule-index.js';
import { defaultLimits } from './tick.js';

/** Beyond this many, further minutes of an event are not made up again. */
const mostRedos = 10_000;

/** Minutes (Unix seconds, ascending) one event is behind; launching all of them brings it up to `upTo`. */
export interface CatchUpPlan {
  minutes: readonly number[];
  upTo: number;
}

/**
 * What a catch-up event that lags can make up between two ticks, because one of its jobs has ended or it was changed
 * (behaviour reference 4.7). Undefined when it does not lag. An event with minutes to redo waits for the next tick:
 * they come first, and a job that always fails must not be started without a pause.
 */
export function planCatchUp(
  state: ClusterState,
  index: ScheduleIndex,
  event: string,
  limits = { maxDue: defaultLimits.perEvent, maxScanned: defaultLimits.scanned },
): CatchUpPlan | undefined {
  const tick = state.tickMinute;
  const cursor = state.cursors.get(event);
  if (!state.enabled || tick === undefined || cursor === undefined || cursor >= tick) return undefined;
  if (!index.isCatchUp(event) || state.redos.has(event)) return undefined;
  return index.dueMinutesOf(event, cursor, tick, limits);
}

/** The change that ends a catch-up; `reached` is the minute the event is done up to now. */
export function finishCatchUp(state: ClusterState, event: string, reached: number): Change {
  return { type: 'cursor', event, minute: reached >= (state.tickMinute ?? reached) ? null : reached };
}

/**
 * Lets one minute (Unix seconds) of a catch-up event be launched once more; nothing for any other event. Only
 * that minute: those after it keep what became of them.
 */
export function redoChanges(state: ClusterState, event: string, minute: number): Change[] {
  if (!state.events.get(event)?.catch_up) return [];
  const minutes = state.redos.get(event) ?? [];
  if (minutes.includes(minute) || minutes.length >= mostRedos) return [];
  return [{ type: 'redo', event, minutes: [...minutes, minute].sort((one, other) => one - other) }];
}

/** One minute less to redo. */
export function redoneChange(state: ClusterState, event: string, minute: number): Change {
  const minutes = state.redos.get(event) ?? [];
  return { type: 'redo', event, minutes: minutes.filter((other) => other !== minute) };
}
