import { type Change, launchFailureChain, planLaunchFailureNotices } from '@carillon/core';
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
      if (launch.kind === 'refuse') {
        apply([this.#warning(`Failed to launch chain reaction: ${launch.reason}`, chain.request.event)]);
      }
      return launch;
    });
    if (plan !== undefined) this.#launches.dispatchPlan(plan);
  }

  #warning(description: string, event: string): Change {
    const { clock, settings } = this.#office;
    const entry = { action: 'warning', epoch: Math.floor(clock.nowMs() / 1000), description, event };
    return { type: 'activity', entry, rowMax: settings.historyRows };
  }
}
