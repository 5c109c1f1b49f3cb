import { CarillonError, type JobFields } from '@carillon/contract';
import {
  type ActiveJob,
  type Change,
  type FollowUpLaunch,
  followUpFailure,
  type JobEnd,
  type JobEnding,
  type LaunchPlan,
  planCompletionNotices,
  planEnd,
  planEventErrorNotices,
  redoChanges,
} from '@carillon/core';
import type { CatalogService } from '../catalog/catalog-service.js';
import { deliveryChanges, noticeContext } from '../hooks/notice-context.js';
import type { LaunchService } from '../launch/launch-service.js';
import { completionContext, type OfficeContext } from '../office/context.js';

type Apply = (changes: readonly Change[]) => void;

export interface FinisherDeps {
  office: OfficeContext;
  launches: LaunchService;
  catalog: CatalogService;
  /** A catch-up job has ended: its event may go on with the minutes it is behind. */
  onCatchUp: (event: string) => void;
}

/**
 * Ends jobs. The end and all that follows from it (history, totals, activity, the next attempt, chained launches, a minute
 * to redo, changes of the event) are one commit, so that after a failover either all of it has happened or nothing.
 */
export class Finisher {
  readonly #deps: FinisherDeps;

  constructor(deps: FinisherDeps) {
    this.#deps = deps;
  }

  /**
   * Resolves when the end, or the next attempt, of the job is durable, and queued jobs had their chance. Nothing happens
   * to a job that is not active. Throws CarillonError `unavailable`.
   */
  async finish(id: string, ending: JobEnding): Promise<void> {
    const { office, launches, onCatchUp } = this.#deps;
    const job = office.state.jobs.get(id);
    if (job === undefined) return;
    const plan = planEnd(job, ending, completionContext(office));
    if (plan.kind === 'stale') return;
    if (plan.kind === 'retry') {
      const { event } = job.fields;
      office.log.log('info', 'A failed job is tried again', { job: id, event, attempt: plan.job.attempt });
      await office.journal.commit([{ type: 'job', job: plan.job }]);
      office.meter.onRetry();
      return;
    }
    const launched = await office.journal.transact((apply) => this.#apply(plan, apply));
    office.meter.onEnded(plan.record, plan.ending);
    this.#logEnd(job, plan);
    for (const launch of launched) launches.dispatchPlan(launch);
    if (plan.record['catch_up']) onCatchUp(plan.record.event);
    await launches.drain(plan.record.event);
    launches.drainSoon();
  }

  /** Jobs that went well are many, and are in the history. */
  #logEnd({ node, attempt }: ActiveJob, { record, ending }: JobEnd): void {
    const { id: job, event, hostname, code, description, elapsed: elapsedSec } = record;
    const where = node === '' ? {} : { worker: node, hostname };
    const how = { attempt, code, ending, elapsedSec };
    if (code === 0) this.#deps.office.log.log('debug', 'A job has ended', { job, event, ...where, ...how });
    else {
      const text = { description: shorten(String(description ?? '')) };
      this.#deps.office.log.log('info', 'A job has failed', { job, event, ...where, ...how, ...text });
    }
  }

  #apply(end: JobEnd, apply: Apply): LaunchPlan[] {
    const { office } = this.#deps;
    apply(end.changes);
    apply(deliveryChanges(planCompletionNotices(end.record, end.rule, noticeContext(office))));
    if (end.redoMinute !== undefined) apply(redoChanges(office.state, end.record.event, end.redoMinute));
    this.#updateEvent(end, apply);
    return end.launches.map((launch) => this.#follow(end.record, launch, apply));
  }

  #follow(record: JobFields, launch: FollowUpLaunch, apply: Apply): LaunchPlan {
    const { office, launches } = this.#deps;
    const { request } = launch;
    const plan = launches.planInto(request, apply);
    if (plan.kind !== 'refuse') return plan;
    const target = office.state.events.get(request.event);
    const description = followUpFailure(launch, target, plan.reason);
    this.#warn(description, apply, { event: request.event });
    const subject = target ?? { id: record.event, title: record.event_title };
    const recipients = target?.notify_fail || recipientsOf(record);
    apply(deliveryChanges(planEventErrorNotices(recipients, subject, description, noticeContext(office))));
    return plan;
  }

  /** `update_event` as a plugin reported it, where the configuration allows it (behaviour reference 6.3). */
  #updateEvent({ record }: JobEnd, apply: Apply): void {
    const { office, catalog } = this.#deps;
    const update = record['update_event'];
    if (!office.settings.eventUpdatesFromJobs || typeof update !== 'object' || update === null) return;
    try {
      apply(catalog.updateByJob(record.event, { ...update }));
    } catch (error) {
      if (!(error instanceof CarillonError)) throw error;
      this.#warn(`Failed to update event from job: ${record.id}: ${error.message}`, apply, {
        event: record.event,
        job: record.id,
      });
    }
  }

  #warn(description: string, apply: Apply, data: Readonly<Record<string, unknown>>): void {
    const { clock, settings, log } = this.#deps.office;
    log.log('warn', description, data);
    const entry = { ...data, action: 'warning', epoch: Math.floor(clock.nowMs() / 1000), description };
    apply([{ type: 'activity', entry, rowMax: settings.historyRows }]);
  }
}

const longestDescription = 500;
const shorten = (text: string): string =>
  text.length <= longestDescription ? text : `${text.slice(0, longestDescription)}…`;

const recipientsOf = ({ notify_fail: recipients }: JobFields): string =>
  typeof recipients === 'string' ? recipients : '';
