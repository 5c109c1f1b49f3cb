import { CarillonError } from '@carillon/contract';
import {
  type ActiveJob,
  type Change,
  type JobEnding,
  type LaunchPlan,
  type LaunchRequest,
  type LaunchSnapshot,
  launchChanges,
  type Member,
  planDrain,
  planLaunch,
  planStartNotices,
} from '@carillon/core';
import { deliveryChanges, noticeContext } from '../hooks/notice-context.js';
import type { LaunchAnswer } from '../office.js';
import type { OfficeContext } from '../office/context.js';
import type { Dispatcher } from './dispatcher.js';

export interface LaunchDeps {
  office: OfficeContext;
  dispatcher: Dispatcher;
  members: () => readonly Member[];
  /** Ends a queued job that can never be launched. */
  finish: (job: string, ending: JobEnding) => Promise<void>;
}

/** A launch that was planned against the state of this moment. Apply its changes before planning the next one. */
export interface PlannedLaunch {
  plan: LaunchPlan;
  changes: Change[];
}

/** The one door to new jobs: for the API, the tick, chains and the queue. */
export class LaunchService {
  readonly #office: OfficeContext;
  readonly #deps: LaunchDeps;
  #nextSeq: number;
  #isDrainPlanned = false;

  constructor(deps: LaunchDeps) {
    this.#office = deps.office;
    this.#deps = deps;
    let last = 0;
    for (const job of deps.office.state.jobs.values()) last = Math.max(last, job.seq);
    this.#nextSeq = last + 1;
  }

  /** Plans, stores and dispatches. Resolves when the jobs are durable; throws CarillonError when refused. */
  async launch(request: LaunchRequest): Promise<LaunchAnswer> {
    const { journal, settings } = this.#office;
    const plan = await journal.transact((apply) => {
      const planned = this.planInto(request, apply);
      if (settings.manualJobsTracked) apply(this.#trackOf(request, planned));
      return planned;
    });
    if (plan.kind === 'refuse') throw new CarillonError('event', `Failed to launch event: ${plan.reason}`);
    this.dispatchPlan(plan);
    if (plan.kind === 'queue') return { ids: [plan.job.fields.id], queue: plan.length };
    return { ids: plan.jobs.map((job) => job.fields.id) };
  }

  /** One entry for each job that somebody started (behaviour reference 2.1, 3.6). */
  #trackOf({ event, username, api_key: key }: LaunchRequest, plan: LaunchPlan): Change[] {
    const { state, clock, settings } = this.#office;
    const jobs = plan.kind === 'launch' ? plan.jobs : plan.kind === 'queue' ? [plan.job] : [];
    const who =
      key === undefined ? { username } : { api_key: key, api_title: state.api_keys.get(key)?.title };
    const epoch = Math.floor(clock.nowMs() / 1000);
    return jobs.map(({ fields: { id } }) => ({
      type: 'activity',
      entry: { action: 'job_run', epoch, id, event, ...who },
      rowMax: settings.historyRows,
    }));
  }

  /**
   * Plans a launch against the state of this moment and applies it as a step of a transaction. When that is durable,
   * `dispatchPlan` starts it.
   */
  planInto(request: LaunchRequest, apply: (changes: readonly Change[]) => void): LaunchPlan {
    const { plan, changes } = this.plan(request);
    apply(changes);
    return plan;
  }

  /** As `planInto`, for callers that commit the changes with others of their own. */
  plan(request: LaunchRequest): PlannedLaunch {
    const { plan, changes } = this.#plan(request);
    if (plan.kind === 'launch') {
      const context = noticeContext(this.#office);
      for (const { fields } of plan.jobs) changes.push(...deliveryChanges(planStartNotices(fields, context)));
    }
    return { plan, changes };
  }

  #plan(request: LaunchRequest): PlannedLaunch {
    const plan = planLaunch(request, this.#snapshot());
    this.#nextSeq += plan.kind === 'launch' ? plan.jobs.length : 1;
    return { plan, changes: launchChanges(request.event, plan) };
  }

  /** Adds tickets for the jobs of a durable plan that start now. */
  dispatchPlan(plan: LaunchPlan): void {
    if (plan.kind !== 'launch') return;
    for (const job of plan.jobs) {
      if (job.state === 'dispatched') this.#deps.dispatcher.send(job);
    }
  }

  /**
   * Launches a job anew that was taken back before it started, or whose next attempt needs another server, under its own
   * id and settings. False when no server may have it now: it is queued when its event lets jobs wait; otherwise
   * it is left as `fallback`, which the caller must end or see to.
   */
  async relaunch(job: ActiveJob, fallback?: ActiveJob): Promise<boolean> {
    const { boot: _boot, dueMs: _due, ...rest } = job;
    const queued: ActiveJob = { ...rest, state: 'queued', node: '' };
    const plan = await this.#office.journal.transact((apply) => {
      // In memory first, so that the job does not count against its own limits.
      apply([{ type: 'job', job: queued }]);
      // Without notices: its start has been told already.
      const next = this.#plan(requestOf(queued));
      apply(next.changes);
      if (next.plan.kind !== 'launch' && fallback !== undefined) apply([{ type: 'job', job: fallback }]);
      return next.plan;
    });
    this.dispatchPlan(plan);
    if (plan.kind === 'launch') return true;
    return fallback === undefined && plan.kind === 'queue' && Boolean(queued.fields['queue']);
  }

  /** Launches queued jobs that now have room, first in first out; of one event, or of all. */
  async drain(event?: string): Promise<void> {
    for (const { fields } of planDrain(this.#office.state, event)) await this.#drainEvent(fields.event);
  }

  /** A drain of all queues in a moment, one for any number of calls: there may be room under some limit. */
  drainSoon(): void {
    const { state, clock, session, log } = this.#office;
    if (this.#isDrainPlanned || state.countJobsOfNode('') === 0) return;
    this.#isDrainPlanned = true;
    clock.after(0, () => {
      this.#isDrainPlanned = false;
      this.drain().catch((error: unknown) => {
        if (!session.signal.aborted)
          log.log('warn', 'The queues could not be drained', { error: String(error) });
      });
    });
  }

  /** Looks at the queue anew before each launch: while one is being stored, another drain may take the next job. */
  async #drainEvent(event: string): Promise<void> {
    for (;;) {
      const [queued] = planDrain(this.#office.state, event);
      if (queued === undefined) return;
      const { plan, changes } = this.plan(requestOf(queued));
      if (plan.kind === 'refuse' && plan.cause === 'missing') {
        // Its plugin or category is gone.
        const description = `Failed to launch queued job: ${plan.reason}`;
        await this.#deps.finish(queued.fields.id, { how: 'unlaunchable', description });
      } else if (plan.kind === 'launch') {
        await this.#office.journal.commit(changes);
        this.dispatchPlan(plan);
      } else return;
    }
  }

  #snapshot(): LaunchSnapshot {
    const { state, clock, random, settings, newId } = this.#office;
    return {
      state,
      members: this.#deps.members(),
      nowMs: clock.nowMs(),
      maxJobs: settings.maxJobs,
      random,
      newJobId: () => newId('j'),
      nextSeq: this.#nextSeq,
    };
  }
}

function requestOf(queued: ActiveJob): LaunchRequest {
  return { event: queued.fields.event, overrides: {}, now: queued.fields.now, queued };
}
