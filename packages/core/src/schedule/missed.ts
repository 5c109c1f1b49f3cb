import type { ClusterState } from '../state/cluster-state.js';
import type { ScheduleIndex } from './schedule-index.js';

/** Launches that are not made up: too old, and their event does not catch up. */
export interface MissedLaunches {
  /** Absent: several events, or minutes that were not looked at one by one. */
  event?: string;
  /** First and last minute, Unix seconds. */
  from: number;
  to: number;
  /** Number of launches; absent when they were not counted. */
  count?: number;
  /** The reason, in words for the activity log. */
  description: string;
}

const minuteSec = 60;
/** Events named one by one; the rest is summed up. */
const maxListed = 100;

interface Tally {
  from: number;
  to: number;
  count: number;
}

/**
 * Launches of normal events in (`from`, `until`] that will not happen, newest event first. About `maxScanned`
 * events times minutes are looked at, latest minutes first (but always ten of them); the minutes before those
 * are one entry without a count.
 */
export function planMissed(
  state: ClusterState,
  index: ScheduleIndex,
  from: number,
  until: number,
  maxScanned: number,
): MissedLaunches[] {
  if (until <= from || index.size === 0) return [];
  const minutes = Math.max(10, Math.floor(maxScanned / index.scanCost));
  const scanFrom = Math.max(from, until - minutes * minuteSec);
  const tallies = tallyMissed(state, index, scanFrom, until);
  const missed = describeMissed(state, tallies);
  if (scanFrom > from) {
    missed.push({
      from: from + minuteSec,
      to: scanFrom,
      description: 'The scheduler did not run; launches due in this time were not made up and not counted',
    });
  }
  return missed;
}

function tallyMissed(
  state: ClusterState,
  index: ScheduleIndex,
  from: number,
  until: number,
): Map<string, Tally> {
  const tallies = new Map<string, Tally>();
  for (let minute = from + minuteSec; minute <= until; minute += minuteSec) {
    for (const event of index.collectDue(minute)) {
      if (index.isCatchUp(event) || (state.cursors.get(event) ?? 0) >= minute) continue;
      const tally = tallies.get(event);
      if (tally === undefined) tallies.set(event, { from: minute, to: minute, count: 1 });
      else {
        tally.to = minute;
        tally.count += 1;
      }
    }
  }
  return tallies;
}

function describeMissed(state: ClusterState, tallies: ReadonlyMap<string, Tally>): MissedLaunches[] {
  const rows = [...tallies]
    .map(([event, tally]) => ({ event, tally, entry: state.events.entry(event) }))
    .sort((one, other) => (other.entry?.seq ?? 0) - (one.entry?.seq ?? 0));
  const missed: MissedLaunches[] = rows.slice(0, maxListed).map(({ event, tally, entry }) => ({
    event,
    ...tally,
    description: `${launchCount(tally.count)} of event '${entry?.record.title ?? event}' missed: the scheduler did not run in time`,
  }));
  const rest = rows.slice(maxListed);
  if (rest.length > 0) {
    const count = rest.reduce((sum, row) => sum + row.tally.count, 0);
    missed.push({
      from: rest.reduce((least, row) => Math.min(least, row.tally.from), Number.POSITIVE_INFINITY),
      to: rest.reduce((most, row) => Math.max(most, row.tally.to), 0),
      count,
      description: `${launchCount(count)} of ${rest.length} further events missed: the scheduler did not run in time`,
    });
  }
  return missed;
}

const launchCount = (count: number): string => `${count} launch${count === 1 ? '' : 'es'}`;
