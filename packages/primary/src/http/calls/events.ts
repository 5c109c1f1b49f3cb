import { CarillonError, type EventRecord } from '@carillon/contract';
import { isLimited, missingScope, requirePrivilege } from '@carillon/core';
import type { EventUpdateOptions } from '../../office.js';
import { bareSuccess } from '../reply/reply.js';
import {
  type CallContext,
  type CallHandlers,
  requireChainScopeOf,
  requireScopeOf,
  textParam,
} from './call-context.js';
import { pageJson, readPage } from './paging.js';

/** Calls that read and change the schedule (behaviour reference 2.1). */
export const eventCalls: CallHandlers = {
  get_schedule: (context) => {
    const { offset, limit } = readPage(context.params, 50);
    const { events } = context.office.state;
    if (isLimited(context.caller)) return visibleSchedule(context, offset, limit);
    return pageJson(
      events.page(offset, limit).map((entry) => entry.json),
      events.size,
    );
  },

  get_event: (context) => {
    const { office } = context;
    const event = findEvent(context);
    requireScopeOf(context, event);
    const json = office.state.events.entry(event.id)?.json ?? JSON.stringify(event);
    const queue = event.queue ? `,"queue":${office.queueLength(event.id)}` : '';
    const active = visibleJobsOf(context, event.id);
    const jobs = active.length > 0 ? `,"jobs":${JSON.stringify(active)}` : '';
    return `{"code":0,"event":${json}${queue}${jobs}}`;
  },

  create_event: async (context) => {
    const { office, params, caller } = context;
    requireScopeOf(context, { category: textParam(params, 'category'), target: textParam(params, 'target') });
    requireChainScopeOf(context, params);
    const id = await office.createEvent({ ...params }, caller);
    return JSON.stringify({ code: 0, id });
  },

  update_event: async (context) => {
    const { office, caller } = context;
    const { id: _id, reset_cursor: cursor, abort_jobs: abort, ...changes } = context.params;
    if (abort) requirePrivilege(caller, 'abort_events');
    const event = findEvent(context);
    requireScopeOf(context, event);
    requireScopeOf(context, {
      category: textParam(changes, 'category') || event.category,
      target: textParam(changes, 'target') || event.target,
    });
    requireChainScopeOf(context, changes);
    const options: EventUpdateOptions = { abortJobs: Boolean(abort) };
    if (typeof cursor === 'number') options.resetCursor = cursor;
    await office.updateEvent(event.id, changes, options, caller);
    return bareSuccess;
  },

  delete_event: async (context) => {
    const event = findEvent(context);
    requireScopeOf(context, event);
    await context.office.deleteEvent(event.id, context.caller);
    return bareSuccess;
  },
};

/** The event under `id`, or else under the exact `title`. Throws CarillonError `event`. */
export function findEvent({ office, params }: Pick<CallContext, 'office' | 'params'>): EventRecord {
  const id = textParam(params, 'id');
  const title = textParam(params, 'title');
  if (id === '' && title === '') {
    throw new CarillonError('event', 'Failed to locate event: No criteria specified');
  }
  const event = id === '' ? office.state.eventByTitle(title) : office.state.events.get(id);
  if (event === undefined) throw new CarillonError('event', `Failed to locate event: ${id || title}`);
  return event;
}

/** Active jobs of an event; one may have been started for another category or target than the event's own. */
function visibleJobsOf({ office, caller }: CallContext, event: string) {
  const jobs = office.activeJobsOf(event);
  if (!isLimited(caller)) return jobs;
  const hostnames = office.hostnames();
  return jobs.filter((job) => missingScope(caller, job, office.state, hostnames) === undefined);
}

/** The page of those events a limited caller may see; `length` counts them all. */
function visibleSchedule({ office, caller }: CallContext, offset: number, limit: number): string {
  const { state } = office;
  const hostnames = office.hostnames();
  const rows: string[] = [];
  let length = 0;
  for (const event of state.events.newestFirst()) {
    if (missingScope(caller, event, state, hostnames) !== undefined) continue;
    length += 1;
    const json = length > offset && rows.length < limit ? state.events.entry(event.id)?.json : undefined;
    if (json !== undefined) rows.push(json);
  }
  return pageJson(rows, length);
}
