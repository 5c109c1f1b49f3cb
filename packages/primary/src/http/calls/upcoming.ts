import { isLimited, missingScope } from '@carillon/core';
import type { CallHandlers } from './call-context.js';
import { listHeader, readPage } from './paging.js';

const longestHours = 168;

/** What the schedule will launch; limited callers see what is theirs (behaviour reference 2.5). */
export const upcomingCalls: CallHandlers = {
  get_upcoming: ({ office, params, caller }) => {
    const { state } = office;
    const { offset, limit } = readPage(params, 50);
    const { limit: hours } = readPage({ limit: params['hours'] }, 24);
    const hostnames = isLimited(caller) ? office.hostnames() : undefined;
    const upcoming = office.upcoming({
      minutes: Math.min(hours, longestHours) * 60,
      offset,
      limit,
      isVisible: (event) =>
        hostnames === undefined || missingScope(caller, event, state, hostnames) === undefined,
    });
    const rows = upcoming.launches.map(({ event, minute }) => ({
      event: event.id,
      epoch: minute,
      event_title: event.title,
      category: event.category,
      plugin: event.plugin,
      target: event.target,
    }));
    const { until, length } = upcoming;
    return JSON.stringify({ code: 0, rows, list: listHeader(length), until, enabled: state.enabled });
  },
};
