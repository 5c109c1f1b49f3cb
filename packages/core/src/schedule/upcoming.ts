import type { EventRecord } from '@carillon/contract';
import type { ClusterState } from '../state/cluster-state.js';
import type { ScheduleIndex } from './schedule-index.js';
import { floorMinute } from './tick.js';

const minuteSec = 60;
/** Events times minutes looked at, unless told otherwise: some tens of milliseconds. */
const usualScan = 20_000_000;

export interface UpcomingWish {
  /** Minutes after the present one to look at. */
  minutes: number;
  /** First launch wanted, from 0. */
  offset: number;
  limit: number;
  /** Events that are to be left out are not counted either. Asked once for each event. */
  isVisible: (event: EventRecord) => boolean;
}

export interface UpcomingLaunch {
  event: EventRecord;
  /** Unix seconds. */
  minute: number;
}

export interface Upcoming {
  /** By minute, then newest event first: the order of the tick. */
  launches: UpcomingLaunch[];
  /** Number of launches up to `until`, those of other pages among them. */
  length: number;
  /** Last minute that was looked at, Unix seconds. */
  until: number;
}

/**
 * What the schedule will launch after the present minute, as far as can be known: events whose category or plugin is
 * disabled are left out, and so is everything while the scheduler is off. Ends early after `maxScanned` events times
 * minutes, but never before the first minute; `until` tells how far it came. `index` holds the events of the state.
 */
export function planUpcoming(
  { state, index, nowMs }: { state: ClusterState; index: ScheduleIndex; nowMs: number },
  { minutes, offset, limit, isVisible }: UpcomingWish,
  maxScanned = usualScan,
): Upcoming {
  const present = floorMinute(nowMs / 1000);
  const last = present + Math.max(0, minutes) * minuteSec;
  const launches: UpcomingLaunch[] = [];
  if (!state.enabled) return { launches, length: 0, until: last };
  const candidates = new Candidates(state, isVisible);
  let length = 0;
  let scanned = 0;
  let until = present;
  while (until < last && (scanned < maxScanned || until === present)) {
    until += minuteSec;
    const due = index.collectDue(until);
    scanned += index.scanCost + due.length;
    const found = due.filter((id) => candidates.isLaunched(id, until));
    if (length + found.length > offset && launches.length < limit) {
      const inOrder = found
        .flatMap((id) => state.events.entry(id) ?? [])
        .sort((one, other) => other.seq - one.seq);
      for (const { record } of inOrder.slice(Math.max(0, offset - length))) {
        if (launches.length < limit) launches.push({ event: record, minute: until });
      }
    }
    length += found.length;
  }
  return { launches, length, until };
}

/** Which events count, decided once for each. */
class Candidates {
  readonly #state: ClusterState;
  readonly #isVisible: (event: EventRecord) => boolean;
  readonly #known = new Map<string, boolean>();

  constructor(state: ClusterState, isVisible: (event: EventRecord) => boolean) {
    this.#state = state;
    this.#isVisible = isVisible;
  }

  isLaunched(id: string, minute: number): boolean {
    let counts = this.#known.get(id);
    if (counts === undefined) {
      counts = this.#counts(id);
      this.#known.set(id, counts);
    }
    // A cursor ahead of the clock says that the minute is done.
    return counts && (this.#state.cursors.get(id) ?? Number.NEGATIVE_INFINITY) < minute;
  }

  #counts(id: string): boolean {
    const event = this.#state.events.get(id);
    if (event === undefined) return false;
    const { category, plugin } = event;
    const launches =
      this.#state.categories.get(category)?.enabled && this.#state.plugins.get(plugin)?.enabled;
    return Boolean(launches) && this.#isVisible(event);
  }
}
