import type { EventWrite } from './records.js';

/** What the schedule asked for, for one minute. */
export type Demand = 'must' | 'may' | 'must not';

const minuteSec = 60;
/** A tick may be this late (the default of CARILLON_LATE_WINDOW), and then finds an event that was switched off since. */
const mostLateSec = 90;

/**
 * Whether an event that is due every minute had to be launched for `minute`, by the writes that switched it on and off. A
 * new event, and one that is switched on, starts with the first minute after the write.
 */
export function demandOf(writes: readonly EventWrite[], minute: number): Demand {
  let possible = new Set([false]);
  for (const write of writes) {
    const runs = runsAfter(write);
    if (runs === undefined) continue;
    const effect = effectOf(write, runs, minute);
    if (effect === 'surely') possible = new Set([runs]);
    else if (effect === 'perhaps') possible.add(runs);
  }
  if (!possible.has(true)) return 'must not';
  return possible.has(false) ? 'may' : 'must';
}

/** True or false when the write switches the event on or off; undefined when it leaves that as it was. */
function runsAfter({ what, fields }: EventWrite): boolean | undefined {
  if (what === 'delete') return false;
  if (fields['enabled'] !== undefined && fields['enabled'] !== 1) return false;
  if (what === 'create') return isScheduled(fields['timing']);
  return fields['enabled'] === undefined ? undefined : true;
}

const isScheduled = (timing: unknown): boolean => typeof timing === 'object' && timing !== null;

function effectOf(write: EventWrite, runs: boolean, minute: number): 'surely' | 'perhaps' | 'no' {
  const earliest = runs ? floorMinute(write.askedSec) + minuteSec : write.askedSec - mostLateSec;
  if (minute < earliest) return 'no';
  if (write.fate === 'unsure') return 'perhaps';
  return minute > floorMinute(write.endedSec) ? 'surely' : 'perhaps';
}

/** Start of the minute, Unix seconds. */
export const floorMinute = (sec: number): number => Math.floor(sec / minuteSec) * minuteSec;
