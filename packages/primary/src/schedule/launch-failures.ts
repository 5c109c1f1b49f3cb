import type { EventRecord } from '@carillon/contract';
import {
  type Change,
  followUpFailure,
  type FollowUpLaunch,
  launchFailureChain,
  planEventErrorNotices,
  planLaunchFailureNotices,
} from '@carillon/core';
import { deliveryChanges, noticeContext } from '../hooks/notice-context.js';
import type { OfficeContext } from '../office/context.js';
import type { LaunchService } from '../launch/launch-service.js';

/** What follows from a scheduled launch that was refused (behaviour reference 4.6): no job, no history row. */
export class LaunchFailures {
  readonly #office: OfficeContext;
  readonly #launches: LaunchService;

  constructor(office: OfficeContext, launches: LaunchService) {
    this.#office = office;
    this.#launches = launches;
  }

  /**
   * Records the failure, tells of it and launches the event's `chain_error`, in one commit. Throws CarillonError `unavailable`.
   */
  async report(id: string, reason: string): Promise<void> {
    const { state, clock, journal, log } = this.#office;
    const event = state.events.get(id);
    if (event === undefined) return;
    const description = `Failed to launch scheduled event: ${event.title}: ${reason}`;
    log.log('warn', description, { event: id });
    const plan = await journal.transact((apply) => {
      const category = state.categories.get(event.category);
      const notices = planLaunchFailureNotices(event, category, reason, noticeContext(this.#office));
      apply([
        this.#warning(description, id),
        { type: 'count', day: this.#office.today(), counter: 'jobs_failed', by: 1 },
        ...deliveryChanges(notices),
      ]);
      const chain = launchFailureChain(event, reason, clock.nowMs());
      if (chain === undefined) return undefined;
      const launch = this.#launches.planInto(chain.request, apply);
      if (launch.kind === 'refuse') apply(this.#chainFailure(event, chain, launch.reason));
      return launch;
    });
    if (plan !== undefined) this.#launches.dispatchPlan(plan);
  }

  /** The event of `chain_error` could not be launched either: as after the end of a job (behaviour reference 5.8). */
  #chainFailure(event: EventRecord, chain: FollowUpLaunch, reason: string): Change[] {
    const target = this.#office.state.events.get(chain.request.event);
    const description = followUpFailure(chain, target, reason);
    const recipients = target?.notify_fail || (event.notify_fail ?? '');
    const mail = planEventErrorNotices(recipients, target ?? event, description, noticeContext(this.#office));
    return [this.#warning(description, chain.request.event), ...deliveryChanges(mail)];
  }

  #warning(description: string, event: string): Change {
    const { clock, settings } = this.#office;
    const entry = { action: 'warning', epoch: Math.floor(clock.nowMs() / 1000), description, event };
    return { type: 'activity', entry, rowMax: settings.historyRows };
  }
}
