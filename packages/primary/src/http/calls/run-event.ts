import { CarillonError } from '@carillon/contract';
import { holdsPrivilege, isTimezone, type LaunchRequest } from '@carillon/core';
import { findEvent } from './events.js';
import { type CallHandlers, requireChainScopeOf, requireScopeOf, textParam } from './call-context.js';

const noOverrides: Readonly<Record<string, unknown>> = {};

/** Starting jobs by hand (behaviour reference 5.9; API reference, run_event). */
export const runEventCalls: CallHandlers = {
  run_event: async (context) => {
    const { office, params, caller, nowMs } = context;
    const event = findEvent(context);
    requireScopeOf(context, event);
    const isReadOnly = holdsPrivilege(caller, 'job_read_only') && !holdsPrivilege(caller, 'admin');
    const { now, ...overrides } = isReadOnly ? noOverrides : readOverrides(params);
    requireScopeOf(context, {
      category: textParam(overrides, 'category') || event.category,
      target: textParam(overrides, 'target') || event.target,
    });
    requireChainScopeOf(context, overrides);
    const request: LaunchRequest = {
      event: event.id,
      overrides,
      now: typeof now === 'number' ? now : Math.floor(nowMs / 1000),
      source: caller.kind === 'api_key' ? `API Key (${caller.title})` : `Manual (${caller.title})`,
    };
    if (caller.kind === 'api_key') request.api_key = caller.id;
    else request.username = caller.id;
    const { ids, queue = event.queue ? office.queueLength(event.id) : undefined } =
      await office.launch(request);
    return JSON.stringify(queue === undefined ? { code: 0, ids } : { code: 0, ids, queue });
  },
};

/**
 * What the request sets for this one job. `id` and `title` find the event, so they are no overrides; with an `id`
 * a `title` is one. Throws CarillonError `api` for values only a job's own rules refuse.
 */
function readOverrides(params: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { id, title, ...rest } = params;
  const overrides: Record<string, unknown> = rest;
  if (id !== undefined && typeof title === 'string') {
    if (/[<>]/.test(title)) {
      throw new CarillonError('api', 'Malformed title parameter: Cannot contain HTML metacharacters');
    }
    overrides['title'] = title;
  }
  const timezone = textParam(overrides, 'timezone');
  if (timezone !== '' && !isTimezone(timezone)) {
    throw new CarillonError('api', `Malformed or unknown timezone: ${timezone}`);
  }
  return overrides;
}
