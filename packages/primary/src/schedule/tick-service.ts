import {
  type Cancel,
  type Change,
  finishTick,
  launchChanges,
  planTick,
  type RefusalCause,
  type ScheduleIndex,
} from '@carillon/core';
import type { OfficeContext } from '../office/context.js';
import type { LaunchService } from '../launch/launch-service.js';

const minuteMs = 60_000;
/** A refusal is only reported while its minute is this fresh (behaviour reference 4.6). */
const reportWithinMs = 30_000;

/**
 * Once per minute, on the boundary, launches what is due. Each launch is stored together with the event's
 * cursor, so a tick may be early, late, repeated or cut short by a failover: the cursors decide.
 */
export class TickService {
  readonly #office: OfficeContext;
  readonly #index: ScheduleIndex;
  readonly #launches: LaunchService;
  #timer: Cancel | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(office: OfficeContext, index: ScheduleIndex, launches: LaunchService) {
    this.#office = office;
    this.#index = index;
    this.#launches = launches;
  }

  /** Makes up what was missed, then ticks with the minute. */
  start(): void {
    this.#run();
    this.#arm();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.();
    await this.#running;
  }

  #arm(): void {
    if (this.#stopped) return;
    const now = this.#office.clock.nowMs();
    const boundary = (Math.floor(now / minuteMs) + 1) * minuteMs;
    this.#timer = this.#office.clock.after(boundary - now, () => {
      // A timer may fire a moment before the boundary: nothing may start early.
      if (this.#office.clock.nowMs() >= boundary) this.#run();
      this.#arm();
    });
  }

  #run(): void {
    this.#running = this.#running
      .then(() => this.#tick())
      .catch((error: unknown) => {
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
    /** Catch-up events that could not launch everything, with the minute they are done up to. */
    const lagging = new Map<string, number>();
    const commits: Promise<void>[] = [];
    for (const { event, minute } of plan.launches) {
      if (lagging.has(event)) continue;
      const launched = this.#launch(event, minute);
      if (launched !== 'refused') commits.push(launched);
      else if (state.events.get(event)?.catch_up) lagging.set(event, minute - 60);
    }
    const closing: Change[] = plan.missed.map((missed) => this.#missedRecord({ ...missed }));
    commits.push(journal.commit([...closing, ...finishTick(state, plan, lagging)]));
    await Promise.all(commits);
    await this.#launches.drain();
  }

  /** Plans against memory that holds all launches before this one, and starts the commit. */
  #launch(event: string, minute: number): Promise<void> | 'refused' {
    const plan = this.#launches.plan({ event, overrides: {}, now: minute });
    if (plan.kind === 'refuse') {
      this.#reportRefusal(event, minute, plan.reason, plan.cause);
      return 'refused';
    }
    const cursor: Change = { type: 'cursor', event, minute };
    const commit = this.#office.journal.commit([...launchChanges(event, plan), cursor]);
    if (plan.kind === 'queue') return commit;
    return commit.then(() => this.#launches.dispatch(plan.jobs));
  }

  /** Refusals by a disabled category or plugin are wanted and stay silent. */
  #reportRefusal(event: string, minute: number, reason: string, cause: RefusalCause): void {
    const { state, clock, settings, journal, log } = this.#office;
    const now = clock.nowMs();
    if (cause === 'disabled' || now - minute * 1000 > reportWithinMs) return;
    const title = state.events.get(event)?.title ?? event;
    const description = `Failed to launch scheduled event: ${title}: ${reason}`;
    log.log('warn', description, { event, minute });
    const entry = { action: 'warning', epoch: Math.floor(now / 1000), description, event };
    void journal.commit([{ type: 'activity', entry, rowMax: settings.historyRows }]).catch(() => undefined); // The term is over; the next primary reports its own refusals.
  }

  #missedRecord(missed: Readonly<Record<string, unknown>>): Change {
    const { clock, settings, log } = this.#office;
    log.log('warn', 'Scheduled minutes were missed and are not made up', missed);
    const entry = { ...missed, action: 'warning', epoch: Math.floor(clock.nowMs() / 1000) };
    return { type: 'activity', entry, rowMax: settings.historyRows };
  }
}
