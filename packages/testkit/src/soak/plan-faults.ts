import { SeededRandom } from '../seeded-random.js';

export const faultKinds = [
  'leader killed',
  'leader paused',
  'leader stopped',
  'leader cut from Redis',
  'leader frozen towards Redis',
  'standby killed',
  'workers cut from primaries',
  'worker killed',
  'worker stopped',
  'worker paused',
  'worker cut off',
  'Redis killed',
  'Redis restarted',
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  kind: FaultKind;
  /** Which of the workers, where one is meant; taken modulo their number. */
  worker: number;
  /** Quiet time before it. */
  gapMs: number;
  /** How long it is in effect; then it is undone. */
  lastsMs: number;
  /** Place relative to the boundary of a minute, for a fault that comes just before one is due. */
  boundaryOffsetMs: number;
}

interface Shape {
  weight: number;
  shortestMs: number;
  longestMs: number;
}

/** Leases live for 1.5 s in a soak and workers are lost after 8 s: durations lie on both sides. */
const shapes: Readonly<Record<FaultKind, Shape>> = {
  'leader killed': { weight: 4, shortestMs: 200, longestMs: 4_000 },
  'leader paused': { weight: 4, shortestMs: 500, longestMs: 5_000 },
  'leader stopped': { weight: 2, shortestMs: 200, longestMs: 2_000 },
  'leader cut from Redis': { weight: 3, shortestMs: 300, longestMs: 4_000 },
  'leader frozen towards Redis': { weight: 3, shortestMs: 300, longestMs: 5_000 },
  'standby killed': { weight: 1, shortestMs: 200, longestMs: 2_000 },
  'workers cut from primaries': { weight: 1, shortestMs: 500, longestMs: 2_500 },
  'worker killed': { weight: 3, shortestMs: 200, longestMs: 10_000 },
  'worker stopped': { weight: 2, shortestMs: 200, longestMs: 3_000 },
  'worker paused': { weight: 2, shortestMs: 500, longestMs: 12_000 },
  'worker cut off': { weight: 3, shortestMs: 500, longestMs: 12_000 },
  'Redis killed': { weight: 2, shortestMs: 100, longestMs: 3_000 },
  'Redis restarted': { weight: 2, shortestMs: 100, longestMs: 3_000 },
};

const gapMs = { shortest: 1_500, longest: 5_000 };
const mostFromBoundaryMs = 900;

/** An endless sequence of faults: the same for the same seed. */
export function* planFaults(seed: number): Generator<Fault, never, undefined> {
  const random = new SeededRandom(seed);
  const between = (least: number, most: number): number => least + random.integer(most - least + 1);
  for (;;) {
    const kind = pickKind(random);
    const { shortestMs, longestMs } = shapes[kind];
    yield {
      kind,
      worker: random.integer(60),
      gapMs: between(gapMs.shortest, gapMs.longest),
      lastsMs: between(shortestMs, longestMs),
      boundaryOffsetMs: between(-mostFromBoundaryMs, mostFromBoundaryMs),
    };
  }
}

/**
 * How long to wait for the next fault at `nowMs` (Unix): its gap, or until its place at the boundary of a minute when one is
 * about to come, because there the scheduler has most to lose.
 */
export function pauseBefore(fault: Fault, nowMs: number): number {
  const minuteMs = 60_000;
  const toBoundaryMs = minuteMs - (nowMs % minuteMs);
  const placeMs = toBoundaryMs + fault.boundaryOffsetMs;
  return placeMs >= 0 && placeMs <= gapMs.longest + 3_000 ? placeMs : fault.gapMs;
}

function pickKind(random: SeededRandom): FaultKind {
  const total = faultKinds.reduce((sum, kind) => sum + shapes[kind].weight, 0);
  let place = random.integer(total);
  for (const kind of faultKinds) {
    place -= shapes[kind].weight;
    if (place < 0) return kind;
  }
  return faultKinds[0];
}
