import { describe, expect, test } from '@jest/globals';
import type { EventRecord } from '@carillon/contract';
import {
  type ClusterState,
  cursorChangesForSwitch,
  cursorChangesForUpdate,
  type DueLaunch,
  finishTick,
  planTick,
  ScheduleIndex,
  type TickPlan,
} from '@carillon/core';
import fc from 'fast-check';
import { anEvent, apply, aState } from '../support/builders.js';

const start = 1_760_000_040; // A whole minute.
const minutes = (count: number): number => start + count * 60;

function indexOf(state: ClusterState): ScheduleIndex {
  const index = new ScheduleIndex('UTC');
  for (const event of state.events.newestFirst()) index.put(event, state.events.entry(event.id)?.seq);
  return index;
}

/** Plan at `minute` plus three seconds, after a last tick at `tick`. */
function planAt(state: ClusterState, minute: number, lateWindowSec = 90): TickPlan {
  return planTick({ state, index: indexOf(state), nowMs: (minute + 3) * 1000, lateWindowSec });
}

function stateAt(tick: number | undefined, ...events: EventRecord[]): ClusterState {
  const state = aState(events);
  state.tickMinute = tick;
  return state;
}

const none = new Map<string, number>();
const brief = (launches: readonly DueLaunch[]): string[] =>
  launches.map(({ event, minute }) => `${event}@${(minute - start) / 60}`);

describe('planTick', () => {
  test('the first tick of a cluster launches its own minute only', () => {
    const state = stateAt(undefined, anEvent(), anEvent({ id: 'c', catch_up: 1 }));
    expect(brief(planAt(state, start).launches)).toEqual(['c@0', 'e1@0']);
  });

  test('each minute once, newest event first', () => {
    const state = stateAt(start, anEvent({ id: 'a' }), anEvent({ id: 'b' }));
    const plan = planAt(state, minutes(1));
    expect(brief(plan.launches)).toEqual(['b@1', 'a@1']);
    apply(state, finishTick(state, plan, none));
    expect(planAt(state, minutes(1)).launches).toEqual([]);
    expect(state.tickMinute).toBe(minutes(1));
  });

  test('a clock that went back plans nothing and closes nothing', () => {
    const state = stateAt(minutes(5), anEvent());
    const plan = planAt(state, minutes(3));
    expect(plan).toEqual({ minute: minutes(3), launches: [], missed: [], behind: new Map() });
    expect(finishTick(state, plan, none)).toEqual([]);
  });

  test('with the scheduler off nothing is due and no tick is recorded', () => {
    const state = stateAt(start, anEvent(), anEvent({ id: 'c', catch_up: 1 }));
    state.enabled = 0;
    const plan = planAt(state, minutes(2));
    expect(plan.launches).toEqual([]);
    expect(finishTick(state, plan, none)).toEqual([]);
  });

  test('after a gap, fresh minutes launch late with their own minute and older ones are missed', () => {
    const state = stateAt(start, anEvent());
    const plan = planAt(state, minutes(5));
    expect(brief(plan.launches)).toEqual(['e1@4', 'e1@5']);
    expect(plan.missed).toEqual([
      {
        event: 'e1',
        from: minutes(1),
        to: minutes(3),
        count: 3,
        description: "3 launches of event 'Nightly' missed: the scheduler did not run in time",
      },
    ]);
  });

  test('a minute of exactly the window is late, not missed', () => {
    const state = stateAt(start, anEvent());
    const index = indexOf(state);
    const at = (second: number) => planTick({ state, index, nowMs: second * 1000, lateWindowSec: 90 });
    expect(brief(at(minutes(1) + 90).launches)).toEqual(['e1@1', 'e1@2']);
    expect(brief(at(minutes(1) + 91).launches)).toEqual(['e1@2']);
  });

  test('the current minute launches even without a late window', () => {
    expect(brief(planAt(stateAt(start, anEvent()), minutes(3), 0).launches)).toEqual(['e1@3']);
  });

  test('a catch-up event makes up everything, in order of the minutes', () => {
    const state = stateAt(start, anEvent({ id: 'c', catch_up: 1 }), anEvent());
    const plan = planAt(state, minutes(4));
    expect(brief(plan.launches)).toEqual(['c@1', 'c@2', 'e1@3', 'c@3', 'e1@4', 'c@4']);
    expect(plan.missed).toHaveLength(1);
  });

  test('an event that lags goes on from its own cursor, without holding up others', () => {
    const state = stateAt(minutes(9), anEvent({ id: 'c', catch_up: 1 }), anEvent());
    state.cursors.set('c', minutes(7));
    expect(brief(planAt(state, minutes(10)).launches)).toEqual(['c@8', 'c@9', 'e1@10', 'c@10']);
  });

  test('a cursor ahead of the tick suppresses what was already launched', () => {
    const state = stateAt(start, anEvent(), anEvent({ id: 'b' }));
    state.cursors.set('e1', minutes(1));
    expect(brief(planAt(state, minutes(1)).launches)).toEqual(['b@1']);
  });

  test('disabled events and events on demand are never due', () => {
    const state = stateAt(start, anEvent({ enabled: 0 }), anEvent({ id: 'd', timing: false }));
    state.cursors.set('e1', minutes(-100));
    expect(planAt(state, minutes(1)).launches).toEqual([]);
  });

  test('an index entry whose event is gone is ignored', () => {
    const state = stateAt(start, anEvent());
    const index = indexOf(state);
    state.applyChange({ type: 'delete', table: 'events', id: 'e1' });
    expect(planTick({ state, index, nowMs: minutes(1) * 1000, lateWindowSec: 90 }).launches).toEqual([]);
  });
});

describe('long gaps', () => {
  const year = 365 * 1440;

  test('a year of missed minutes is bounded, and says so', () => {
    const events = Array.from({ length: 300 }, (_, index) => anEvent({ id: `e${index}` }));
    const plan = planAt(stateAt(start, ...events), minutes(year));
    expect(plan.launches).toHaveLength(600);
    expect(plan.missed).toHaveLength(102);
    const [newest, rest, before] = [plan.missed[0], plan.missed[100], plan.missed[101]];
    expect(newest?.event).toBe('e299');
    expect(rest?.event).toBeUndefined();
    expect(rest?.count).toBe(200 * (newest?.count ?? 0));
    expect(before).toMatchObject({ from: minutes(1), to: (newest?.from ?? 0) - 60 });
    expect(before?.count).toBeUndefined();
  });

  test('a catch-up event goes on at the next tick where the limit stopped it', () => {
    const state = stateAt(start, anEvent({ catch_up: 1 }));
    const launched: number[] = [];
    for (let tick = year; tick < year + 3; tick += 1) {
      const plan = planAt(state, minutes(tick));
      launched.push(...plan.launches.map((launch) => launch.minute));
      apply(state, finishTick(state, plan, none));
    }
    expect(launched).toEqual(Array.from({ length: 3000 }, (_, index) => minutes(index + 1)));
    expect(state.cursors.get('e1')).toBe(minutes(3000));
  });

  test('an event that is seldom due moves on although the scan stops early', () => {
    const state = stateAt(start - 40 * year * 60, anEvent({ catch_up: 1, timing: { years: [2200] } }));
    const plan = planAt(state, start);
    expect(plan.launches).toEqual([]);
    expect(plan.behind.get('e1')).toBeGreaterThan(start - 40 * year * 60);
    apply(state, finishTick(state, plan, none));
    expect(state.cursors.get('e1')).toBe(plan.behind.get('e1'));
  });

  test('blocked events with long queues do not starve the others', () => {
    const events = Array.from({ length: 60 }, (_, index) => anEvent({ id: `c${index}`, catch_up: 1 }));
    const plan = planAt(stateAt(start, ...events), minutes(year));
    expect(new Set(plan.launches.map((launch) => launch.event)).size).toBe(60);
    expect(plan.launches.length).toBeLessThanOrEqual(20_000);
  });
});

describe('finishTick', () => {
  test('forgets cursors the tick speaks for, keeps those that say more', () => {
    const state = stateAt(
      start,
      anEvent({ id: 'ahead' }),
      anEvent({ id: 'lagging', catch_up: 1 }),
      anEvent({ id: 'off', catch_up: 1, enabled: 0 }),
      anEvent({ id: 'future', catch_up: 1 }),
      anEvent({ id: 'same', catch_up: 1 }),
    );
    apply(state, [
      { type: 'cursor', event: 'ahead', minute: minutes(1) },
      { type: 'cursor', event: 'lagging', minute: minutes(-3) },
      { type: 'cursor', event: 'off', minute: minutes(-9) },
      { type: 'cursor', event: 'future', minute: minutes(60) },
      { type: 'cursor', event: 'same', minute: minutes(-1) },
      { type: 'cursor', event: 'deleted', minute: start },
    ]);
    const lagging = new Map([
      ['lagging', minutes(-1)],
      ['same', minutes(-1)],
      ['fresh', start],
    ]);
    expect(finishTick(state, planAt(state, minutes(1)), lagging)).toEqual([
      { type: 'tick', minute: minutes(1) },
      { type: 'cursor', event: 'lagging', minute: minutes(-1) },
      { type: 'cursor', event: 'fresh', minute: start },
      { type: 'cursor', event: 'ahead', minute: null },
      { type: 'cursor', event: 'deleted', minute: null },
    ]);
  });
});

/** What may happen to a scheduler between two moments. */
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('tick' as const), minutes: fc.nat(3), done: fc.nat(12) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('gap' as const), minutes: fc.integer({ min: 3, max: 90 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('back' as const), minutes: fc.nat(2) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('block' as const), blocked: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('switch' as const), on: fc.boolean() }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('enable' as const),
        event: fc.constantFrom('normal', 'catchup'),
        on: fc.boolean(),
      }),
    },
  ),
  { maxLength: 40 },
);
type Step = (typeof steps extends fc.Arbitrary<infer S> ? S : never) extends (infer T)[] ? T : never;

/** A scheduler whose clock, crashes and refusals are in the hands of the test. */
class Simulation {
  readonly state = stateAt(
    start,
    anEvent({ id: 'normal', timing: { minutes: [0, 1, 2, 5, 8, 13, 21, 34, 55] } }),
    anEvent({ id: 'catchup', catch_up: 1, timing: { minutes: [3, 4, 5, 8, 13, 21, 34, 55, 59] } }),
  );
  readonly launched: DueLaunch[] = [];
  now = start + 3;
  blocked = false;

  run(step: Step): void {
    if (step.kind === 'gap') this.now += step.minutes * 60;
    else if (step.kind === 'back') this.now -= step.minutes * 60;
    else if (step.kind === 'block') this.blocked = step.blocked;
    else if (step.kind === 'switch') this.switch(step.on ? 1 : 0);
    else if (step.kind === 'enable') this.enable(step.event, step.on ? 1 : 0);
    else {
      this.now += step.minutes * 60;
      this.tick(step.done);
    }
  }

  /** `done` launches, then a crash; twelve mean that the tick is closed. */
  tick(done: number): void {
    const { state } = this;
    const plan = planTick({ state, index: indexOf(state), nowMs: this.now * 1000, lateWindowSec: 90 });
    const lagging = new Map<string, number>();
    let count = 0;
    for (const launch of plan.launches) {
      if (done < 12 && count >= done) return;
      const isCatchUp = launch.event === 'catchup';
      if (lagging.has(launch.event)) continue;
      if (isCatchUp && this.blocked) lagging.set(launch.event, launch.minute - 60);
      else {
        this.launched.push(launch);
        apply(state, [{ type: 'cursor', event: launch.event, minute: launch.minute }]);
        count += 1;
      }
    }
    if (done >= 12) apply(state, finishTick(state, plan, lagging));
  }

  switch(enabled: 0 | 1): void {
    const changes = cursorChangesForSwitch(this.state, enabled, this.now * 1000);
    apply(this.state, [{ type: 'switch', enabled }, ...changes]);
  }

  enable(id: string, enabled: 0 | 1): void {
    const before = this.state.events.get(id);
    const seq = this.state.events.entry(id)?.seq ?? 0;
    if (before === undefined) return;
    const after = { ...before, enabled };
    const changes = cursorChangesForUpdate(before, after, this.state, this.now * 1000);
    apply(this.state, [{ type: 'put', table: 'events', seq, record: after }, ...changes]);
  }

  launchesOf(event: string): number[] {
    return this.launched.filter((launch) => launch.event === event).map((launch) => launch.minute);
  }
}

const isDue = (state: ClusterState, id: string, minute: number): boolean => {
  const event = state.events.get(id);
  return event !== undefined && new ScheduleIndex('UTC').isDue(event, minute);
};

describe('whatever happens to the scheduler', () => {
  test('nothing is launched twice, and each event launches in order', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const simulation = new Simulation();
        for (const step of list) simulation.run(step);
        for (const event of ['normal', 'catchup']) {
          const launched = simulation.launchesOf(event);
          expect(launched).toEqual([...new Set(launched)].sort((one, other) => one - other));
          expect(launched.every((minute) => isDue(simulation.state, event, minute))).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a catch-up event has launched for every due minute in the end', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const simulation = new Simulation();
        let latest = simulation.now;
        for (const step of list) {
          simulation.run(step);
          latest = Math.max(latest, simulation.now);
        }
        simulation.blocked = false;
        simulation.now = latest + 120;
        simulation.enable('catchup', 1);
        simulation.switch(1);
        for (let more = 0; more < 3; more += 1) {
          simulation.now += 60;
          simulation.tick(12);
        }
        const wanted: number[] = [];
        for (let minute = minutes(1); minute <= simulation.now; minute += 60) {
          if (isDue(simulation.state, 'catchup', minute)) wanted.push(minute);
        }
        expect(simulation.launchesOf('catchup')).toEqual(wanted);
      }),
      { numRuns: 300 },
    );
  });

  test('a normal event misses nothing while ticks come within the window, crashes included', () => {
    const calm = fc.array(fc.record({ minutes: fc.nat(1), done: fc.constantFrom(0, 1, 12) }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(calm, (list) => {
        const simulation = new Simulation();
        for (const { minutes: ahead, done } of list) {
          simulation.now += ahead * 60;
          simulation.tick(done);
          simulation.tick(12);
        }
        const wanted: number[] = [];
        for (let minute = minutes(1); minute <= simulation.now; minute += 60) {
          if (isDue(simulation.state, 'normal', minute)) wanted.push(minute);
        }
        expect(simulation.launchesOf('normal')).toEqual(wanted);
      }),
    );
  });

  test('a plan after a partial tick is exactly the rest of the first plan', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(300), (gap, done) => {
        const { state } = new Simulation();
        const plan = planAt(state, minutes(gap));
        for (const { event, minute } of plan.launches.slice(0, done)) {
          apply(state, [{ type: 'cursor', event, minute }]);
        }
        expect(planAt(state, minutes(gap)).launches).toEqual(plan.launches.slice(done));
      }),
    );
  });
});
