import type { Change } from '../state/change.js';
import type { ClusterState } from '../state/cluster-state.js';
import { type MissedLaunches, planMissed } from './missed.js';
import type { ScheduleIndex } from './schedule-index.js';

/** A launch of an event for one of its minutes (Unix seconds). */
export interface DueLaunch {
  event: string;
  minute: number;
  /** Made up for a job that was lost or ended by a limit: it does not move the event's cursor. */
  redo?: true;
}

export interface TickPlan {
  /** The minute of this tick, Unix seconds. */
  minute: number;
  /** By minute, then newest event first. */
  launches: DueLaunch[];
  missed: MissedLaunches[];
  /** Catch-up events with more to make up than one tick takes, with the minute this plan brings them to. */
  behind: ReadonlyMap<string, number>;
}

export interface TickInput {
  state: ClusterState;
  /** Holds the events of the state. */
  index: ScheduleIndex;
  /** Wall clock, Unix milliseconds. */
  nowMs: number;
  /** Minutes up to this age in seconds are launched late; older ones are missed. */
  lateWindowSec: number;
  limits?: Partial<TickLimits>;
}

/** Bounds on the work of one tick. Catch-up work beyond them is done by the next ticks. */
export interface TickLimits {
  /** Made-up launches of one event. */
  perEvent: number;
  /** Made-up launches of all events; each still gets two, so that none is starved by the others. */
  total: number;
  /** Events times minutes looked at. */
  scanned: number;
}

const minuteSec = 60;
export const defaultLimits: Readonly<TickLimits> = { perEvent: 1_000, total: 20_000, scanned: 5_000_000 };

/**
 * What to launch at `nowMs` (behaviour reference 4.2 and 4.7). The current minute always counts, however
 * small the late window. A catch-up event is due for every minute since its cursor; any other event for the
 * minutes since the last tick that are fresh enough. A minute an event's cursor has passed is never planned,
 * so a tick that was cut short is completed by planning it again. Minutes to redo come on top. Empty when the scheduler is off or the
 * clock went back. Pure; lists nothing twice.
 */
export function planTick(input: TickInput): TickPlan {
  const { state, index, lateWindowSec } = input;
  const nowSec = input.nowMs / 1000;
  const minute = floorMinute(nowSec);
  const from = state.tickMinute ?? minute - minuteSec;
  if (!state.enabled || minute <= from) return { minute, launches: [], missed: [], behind: new Map() };
  const limits = { ...defaultLimits, ...input.limits };
  const oldest = Math.ceil((nowSec - lateWindowSec) / minuteSec) * minuteSec;
  const firstRecent = Math.min(minute, Math.max(from + minuteSec, oldest));
  const old = planMakeUp(state, index, from, firstRecent - minuteSec, limits);
  const launches = [
    ...planRedos(state, index, limits.perEvent),
    ...old.launches,
    ...planRecent(state, index, firstRecent, minute, old.behind),
  ];
  return {
    minute,
    launches: inOrder(state, launches),
    missed: planMissed(state, index, from, firstRecent - minuteSec, limits.scanned),
    behind: old.behind,
  };
}

/**
 * The changes that close a tick, for one commit: the tick itself, the cursors of lagging events, and the end of
 * all cursor entries that say no more than the tick. `lagging` names catch-up events that could not be
 * launched, with the minute they are done up to. Empty when the scheduler is off or the tick is an old one.
 */
export function finishTick(
  state: ClusterState,
  plan: TickPlan,
  lagging: ReadonlyMap<string, number>,
): Change[] {
  if (!state.enabled || plan.minute <= (state.tickMinute ?? Number.NEGATIVE_INFINITY)) return [];
  const changes: Change[] = [{ type: 'tick', minute: plan.minute }];
  const behind = new Map([...plan.behind, ...lagging]);
  for (const [event, minute] of behind) {
    if (state.cursors.get(event) !== minute) changes.push({ type: 'cursor', event, minute });
  }
  for (const [event, minute] of state.cursors) {
    if (behind.has(event) || minute > plan.minute) continue;
    const record = state.events.get(event);
    const accumulates = record !== undefined && record.catch_up && !record.enabled;
    if (!accumulates) changes.push({ type: 'cursor', event, minute: null });
  }
  for (const event of state.redos.keys()) {
    if (!state.events.get(event)?.catch_up) changes.push({ type: 'redo', event, minutes: [] });
  }
  return changes;
}

/** Start of the minute, Unix seconds. */
export const floorMinute = (epochSec: number): number => Math.floor(epochSec / minuteSec) * minuteSec;

function planRedos(state: ClusterState, index: ScheduleIndex, perEvent: number): DueLaunch[] {
  const launches: DueLaunch[] = [];
  for (const [event, minutes] of state.redos) {
    if (!index.isCatchUp(event)) continue;
    for (const minute of minutes.slice(0, perEvent)) launches.push({ event, minute, redo: true });
  }
  return launches;
}

/** Launches of catch-up events for minutes up to `until`, which normal events would have missed. */
function planMakeUp(
  state: ClusterState,
  index: ScheduleIndex,
  from: number,
  until: number,
  limits: TickLimits,
): { launches: DueLaunch[]; behind: Map<string, number> } {
  const candidates = from < until ? index.catchUps() : state.cursors.keys();
  const late: { event: string; cursor: number }[] = [];
  for (const event of candidates) {
    const cursor = state.cursors.get(event) ?? from;
    if (cursor < until && index.isCatchUp(event)) late.push({ event, cursor });
  }
  const share = (amount: number, least: number): number =>
    Math.max(least, Math.floor(amount / Math.max(1, late.length)));
  const each = {
    maxDue: Math.min(limits.perEvent, share(limits.total, 2)),
    maxScanned: share(limits.scanned, minuteSec),
  };
  const launches: DueLaunch[] = [];
  const behind = new Map<string, number>();
  for (const { event, cursor } of late) {
    const due = index.dueMinutesOf(event, cursor, until, each);
    if (due === undefined) continue;
    for (const minute of due.minutes) launches.push({ event, minute });
    if (due.upTo < until) behind.set(event, due.upTo);
  }
  return { launches, behind };
}

function planRecent(
  state: ClusterState,
  index: ScheduleIndex,
  first: number,
  last: number,
  behind: ReadonlyMap<string, number>,
): DueLaunch[] {
  const launches: DueLaunch[] = [];
  const add = (event: string, minute: number): void => {
    if (!behind.has(event) && (state.cursors.get(event) ?? Number.NEGATIVE_INFINITY) < minute) {
      launches.push({ event, minute });
    }
  };
  for (let minute = first; minute <= last; minute += minuteSec) {
    for (const event of index.collectDue(minute)) add(event, minute);
  }
  return launches;
}

function inOrder(state: ClusterState, launches: readonly DueLaunch[]): DueLaunch[] {
  return launches
    .map((launch) => ({ launch, seq: state.events.entry(launch.event)?.seq }))
    .filter((item) => item.seq !== undefined)
    .sort((one, other) => one.launch.minute - other.launch.minute || (other.seq ?? 0) - (one.seq ?? 0))
    .map((item) => item.launch);
}
