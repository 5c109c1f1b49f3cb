import {
  type Cancel,
  type Change,
  type DueLaunch,
  finishCatchUp,
  finishTick,
  type LaunchPlan,
  type Member,
  planCatchUp,
  planTick,
  redoneChange,
  type ScheduleIndex,
} from '@carillon/core';
import type { OfficeContext } from '../office/context.js';
import type { LaunchService } from '../launch/launch-service.js';
import { LaunchFailures } from './launch-failures.js';
import { TickRound } from './tick-round.js';

const minuteMs = 60_000;
const minuteSec = 60;
/** A refusal is only reported while its minute is this fresh (behaviour reference 4.6). */
const reportWithinMs = 30_000;

/**
 * Where no worker at all can take jobs, a minute waits this long for one, counted from its boundary and from the beginning
 * of the term: a cluster that starts, or the restart of its only node, fails no launch.
 */
const workerWaitMs = 25_000;

export interface TickDeps {
  office: OfficeContext;
  index: ScheduleIndex;
  launches: LaunchService;
  /** The workers, as launches see them. */
  members: () => readonly Member[];
}

/**
 * Once per minute, on the boundary, launches what is due. Each launch is stored together with the event's
 * cursor, so a tick may be early, late, repeated or cut short by a failover: the cursors decide.
 */
export class TickService {
  readonly #office: OfficeContext;
  readonly #index: ScheduleIndex;
  readonly #launches: LaunchService;
  readonly #failures: LaunchFailures;
  readonly #members: () => readonly Member[];
  #timer: Cancel | undefined;
  /** Ends the wait for a worker. */
  #cancelWait: Cancel | undefined;
  #startedMs = 0;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor({ office, index, launches, members }: TickDeps) {
    this.#office = office;
    this.#index = index;
    this.#launches = launches;
    this.#failures = new LaunchFailures(office, launches);
    this.#members = members;
  }

  /** Makes up what was missed, then ticks with the minute. */
  start(): void {
    this.#startedMs = this.#office.clock.nowMs();
    this.#run(() => this.#tick());
    this.#arm();
  }

  /** A job of this event has ended, or the event was changed: it may go on with the minutes it is behind. */
  catchUp(event: string): void {
    if (this.#office.state.cursors.has(event)) this.#run(() => this.#catchUp(event));
  }

  /** A worker may take jobs: minutes that wait for one are launched. */
  onWorker(): void {
    if (this.#cancelWait !== undefined) this.#endWait();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.();
    this.#cancelWait?.();
    await this.#running;
  }

  #arm(): void {
    if (this.#stopped) return;
    const now = this.#office.clock.nowMs();
    const boundary = (Math.floor(now / minuteMs) + 1) * minuteMs;
    this.#timer = this.#office.clock.after(boundary - now, () => {
      // A timer may fire a moment before the boundary: nothing may start early.
      if (this.#office.clock.nowMs() >= boundary) this.#run(() => this.#tick());
      this.#arm();
    });
  }

  /** One after the other: a tick and a catch-up would both launch what an event is behind. */
  #run(work: () => Promise<void>): void {
    this.#running = this.#running.then(work).catch((error: unknown) => {
      if (this.#office.session.signal.aborted) return;
      this.#office.log.log('error', 'The minute tick failed', { error: String(error) });
    });
  }

  async #tick(): Promise<void> {
    const { state, clock, settings, journal } = this.#office;
    if (this.#stopped) return;
    const index = this.#index;
    const plan = planTick({ state, index, nowMs: clock.nowMs(), lateWindowSec: settings.lateWindowSec });
    if (plan.minute <= (state.tickMinute ?? Number.NEGATIVE_INFINITY)) return;
    if (plan.launches.length > 0 && this.#waitsForWorker(plan.minute)) return;
    const round = new TickRound(state);
    const commits: Promise<void>[] = [];
    for (const due of plan.launches) {
      if (round.isBlocked(due)) continue;
      const launched = this.#launch(due, round);
      if (launched !== 'refused') commits.push(launched);
    }
    const closing: Change[] = plan.missed.map((missed) => this.#missedRecord({ ...missed }));
    closing.push(...this.#dayChange());
    commits.push(journal.commit([...closing, ...finishTick(state, plan, round.lagging)]));
    await Promise.all(commits);
    await this.#launches.drain();
  }

  #waitsForWorker(minute: number): boolean {
    const { clock } = this.#office;
    if (this.#members().some(({ available }) => available)) return false;
    const leftMs = Math.max(minute * 1000, this.#startedMs) + workerWaitMs - clock.nowMs();
    if (leftMs <= 0) return false;
    this.#cancelWait?.();
    this.#cancelWait = clock.after(leftMs, () => this.#endWait());
    return true;
  }

  #endWait(): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    this.#run(() => this.#tick());
  }

  /** Plans against memory that holds all launches before this one, and starts the commit. */
  #launch(due: DueLaunch, round: TickRound): Promise<void> | 'refused' {
    const { journal, state } = this.#office;
    const { event, minute } = due;
    const { plan, changes } = this.#launches.plan({ event, overrides: {}, now: minute });
    if (plan.kind === 'refuse') {
      this.#reportRefusal(due, plan, round);
      round.onRefused(due);
      return 'refused';
    }
    round.onLaunched(event);
    const done: Change = due.redo ? redoneChange(state, event, minute) : { type: 'cursor', event, minute };
    return journal.commit([...changes, done]).then(() => this.#launches.dispatchPlan(plan));
  }

  /**
   * Launches what a catch-up event is behind, as far as its limits allow (behaviour reference 4.7). It runs between ticks;
   * refusals are not reported: the event simply goes on later.
   */
  async #catchUp(event: string): Promise<void> {
    const { state, journal } = this.#office;
    if (this.#stopped) return;
    const behind = planCatchUp(state, this.#index, event);
    if (behind === undefined) return;
    const commits: Promise<void>[] = [];
    let reached = behind.upTo;
    for (const minute of behind.minutes) {
      const { plan, changes } = this.#launches.plan({ event, overrides: {}, now: minute });
      if (plan.kind === 'refuse') {
        reached = minute - minuteSec;
        break;
      }
      const commit = journal.commit([...changes, { type: 'cursor', event, minute }]);
      commits.push(commit.then(() => this.#launches.dispatchPlan(plan)));
    }
    commits.push(journal.commit([finishCatchUp(state, event, reached)]));
    await Promise.all(commits);
  }

  /** Refusals by a disabled category or plugin are wanted and stay silent (behaviour reference 4.6). */
  #reportRefusal(due: DueLaunch, plan: Extract<LaunchPlan, { kind: 'refuse' }>, round: TickRound): void {
    const { clock } = this.#office;
    if (plan.cause === 'disabled' || round.hasLaunched(due.event)) return;
    if (clock.nowMs() - due.minute * 1000 > reportWithinMs) return;
    // The term is over when this fails; the next primary reports its own refusals.
    this.#failures.report(due.event, plan.reason).catch(() => undefined);
  }

  /** The totals of a day that is over are not those of today (behaviour reference 3.8), even before the first job. */
  #dayChange(): Change[] {
    const { state, today } = this.#office;
    const day = today();
    return state.stats.day === day ? [] : [{ type: 'count', day, counter: 'jobs_failed', by: 0 }];
  }

  #missedRecord(missed: Readonly<Record<string, unknown>>): Change {
    const { clock, settings, log } = this.#office;
    log.log('warn', 'Scheduled minutes were missed and are not made up', missed);
    const entry = { ...missed, action: 'warning', epoch: Math.floor(clock.nowMs() / 1000) };
    return { type: 'activity', entry, rowMax: settings.historyRows };
  }
}
