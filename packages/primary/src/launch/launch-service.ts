import { CarillonError } from '@carillon/contract';
import {
  type ActiveJob,
  type Change,
  type LaunchPlan,
  type LaunchRequest,
  type LaunchSnapshot,
  launchChanges,
  type Member,
  planDrain,
  planLaunch,
  planUnrunEnd,
} from '@carillon/core';
import type { LaunchAnswer } from '../office.js';
import { completionContext, type OfficeContext } from '../office/context.js';
import type { Dispatcher } from './dispatcher.js';

/** A launch that was planned and applied to memory; `changes` still have to be committed. */
export interface PreparedLaunch {
  plan: LaunchPlan;
  changes: Change[];
}

/** The one door to new jobs: for the API, the tick and the queue. */
export class LaunchService {
  readonly #office: OfficeContext;
  readonly #dispatcher: Dispatcher;
  readonly #members: () => readonly Member[];
  #nextSeq: number;

  constructor(office: OfficeContext, dispatcher: Dispatcher, members: () => readonly Member[]) {
    this.#office = office;
    this.#dispatcher = dispatcher;
    this.#members = members;
    let last = 0;
    for (const job of office.state.jobs.values()) last = Math.max(last, job.seq);
    this.#nextSeq = last + 1;
  }

  /** Plans, stores and dispatches. Resolves when the jobs are durable; throws CarillonError when refused. */
  async launch(request: LaunchRequest): Promise<LaunchAnswer> {
    const plan = this.plan(request);
    if (plan.kind === 'refuse') throw new CarillonError('event', `Failed to launch event: ${plan.reason}`);
    await this.#office.journal.commit(launchChanges(request.event, plan));
    if (plan.kind === 'queue') return { ids: [plan.job.fields.id], queue: plan.length };
    this.dispatch(plan.jobs);
    return { ids: plan.jobs.map((job) => job.fields.id) };
  }

  /** The plan for a request against the state of this moment. Apply it before planning the next one. */
  plan(request: LaunchRequest): LaunchPlan {
    const plan = planLaunch(request, this.#snapshot());
    this.#nextSeq += plan.kind === 'launch' ? plan.jobs.length : 1;
    return plan;
  }

  /** Adds tickets for the jobs of a committed plan that start now. */
  dispatch(jobs: readonly ActiveJob[]): void {
    for (const job of jobs) {
      if (job.state === 'dispatched') this.#dispatcher.send(job);
    }
  }

  /**
   * Launches a job anew that was taken back before it started, under its own id and settings. False when no server
   * may have it and its event does not let jobs wait; the caller must end it then.
   */
  async relaunch(job: ActiveJob): Promise<boolean> {
    const { journal } = this.#office;
    const { boot: _boot, dueMs: _due, ...rest } = job;
    const queued: ActiveJob = { ...rest, state: 'queued', node: '' };
    // Applied to memory at once, so that the job does not count against its own limits.
    const taken = journal.commit([{ type: 'job', job: queued }]);
    const plan = this.plan(requestOf(queued));
    if (plan.kind !== 'launch') {
      await taken;
      return plan.kind === 'queue' && Boolean(queued.fields['queue']);
    }
    await Promise.all([taken, journal.commit(launchChanges(queued.fields.event, plan))]);
    this.dispatch(plan.jobs);
    return true;
  }

  /** Launches queued jobs that now have room, first in first out; of one event, or of all. */
  async drain(event?: string): Promise<void> {
    for (const { fields } of planDrain(this.#office.state, event)) await this.#drainEvent(fields.event);
  }

  /** Looks at the queue anew before each launch: while one is being stored, another drain may take the next job. */
  async #drainEvent(event: string): Promise<void> {
    for (;;) {
      const [queued] = planDrain(this.#office.state, event);
      if (queued === undefined) return;
      const plan = this.plan(requestOf(queued));
      if (plan.kind === 'refuse' && plan.cause === 'missing') {
        await this.#endUnlaunchable(queued, plan.reason);
      } else if (plan.kind === 'launch') {
        await this.#office.journal.commit(launchChanges(event, plan));
        this.dispatch(plan.jobs);
      } else return;
    }
  }

  /** A queued job whose plugin or category is gone can never run. */
  async #endUnlaunchable(queued: ActiveJob, reason: string): Promise<void> {
    const outcome = { code: 1, description: `Failed to launch queued job: ${reason}` };
    await this.#office.journal.commit(planUnrunEnd(queued, outcome, completionContext(this.#office)));
  }

  #snapshot(): LaunchSnapshot {
    const { state, clock, random, settings, newId } = this.#office;
    return {
      state,
      members: this.#members(),
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
