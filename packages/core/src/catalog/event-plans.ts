import {
  apiCalls,
  CarillonError,
  checkParameters,
  type EventRecord,
  type PluginRecord,
} from '@carillon/contract';
import type { Caller } from '../access/caller.js';
import { isTimezone } from '../schedule/wall-clock.js';
import type { ClusterState } from '../state/cluster-state.js';
import { normaliseFlags } from './event-flags.js';

/** What the rules for events need to know. */
export interface EventContext {
  state: ClusterState;
  caller: Caller;
  /** Wall clock, whole Unix seconds. */
  nowSec: number;
  /** A fresh event id for each call. */
  newEventId: () => string;
  /** For events that name no time zone. */
  defaultTimezone: string;
}

/** Keys of a request that are never stored (behaviour reference 1.6 and 13 #72). */
const neverStored: ReadonlySet<string> = new Set([
  '__proto__',
  'id',
  'api_key',
  'session_id',
  'reset_cursor',
  'abort_jobs',
  'cwd',
  'uid',
  'gid',
  'env',
  'callback',
  'pretty',
]);
/** Set by creation itself. */
const setByCreation: ReadonlySet<string> = new Set(['created', 'modified', 'username']);

/**
 * The record of a new event (behaviour reference 2.1). The target need not exist yet, nor the events it chains
 * to; unknown keys are kept. Throws CarillonError `api` for malformed fields (texts of 1.6), and `event` for a
 * plugin, category or parameter that does not exist or an id that is taken.
 */
export function planEventCreation(
  fields: Readonly<Record<string, unknown>>,
  context: EventContext,
): EventRecord {
  checkParameters(apiCalls.create_event, fields);
  const settings = storable(fields, context);
  for (const key of setByCreation) delete settings[key];
  const { caller, nowSec, state } = context;
  const givenId = text(fields, 'id').toLowerCase();
  if (givenId !== '' && state.events.get(givenId) !== undefined) {
    throw new CarillonError('event', `Failed to create event: Event ID already exists: ${givenId}`);
  }
  const record: EventRecord = {
    ...settings,
    id: givenId || context.newEventId(),
    title: text(settings, 'title'),
    enabled: settings['enabled'] ? 1 : 0,
    category: text(settings, 'category'),
    plugin: text(settings, 'plugin'),
    target: text(settings, 'target'),
    params: recordOf(settings['params']),
    timezone: text(settings, 'timezone') || context.defaultTimezone,
    max_children: count(settings, 'max_children'),
    timeout: count(settings, 'timeout'),
    created: nowSec,
    modified: nowSec,
    ...(caller.kind === 'user' ? { username: caller.id } : { api_key: caller.id }),
  };
  const plugin = checkReferences(record, state, 'Failed to create event');
  checkPluginParams(record, plugin);
  return record;
}

/**
 * The record of an event with the given keys replaced, `params` and `timing` as a whole (behaviour reference
 * 2.1). Throws CarillonError like `planEventCreation`.
 */
export function planEventUpdate(
  current: EventRecord,
  changes: Readonly<Record<string, unknown>>,
  context: EventContext,
): EventRecord {
  checkParameters(apiCalls.update_event, { ...changes, id: current.id });
  const settings = storable(changes, context);
  if (settings['timezone'] === '') settings['timezone'] = context.defaultTimezone;
  const record: EventRecord = {
    ...structuredClone(current),
    ...settings,
    id: current.id,
    modified: context.nowSec,
  };
  const plugin = checkReferences(record, context.state, 'Failed to update event');
  if (Object.hasOwn(settings, 'params')) checkPluginParams(record, plugin);
  return record;
}

/**
 * The event, when it may be deleted. Throws CarillonError `event` when there is none, or while it has active
 * jobs: queued ones as well, since each job has to end with a record.
 */
export function planEventDeletion(id: string, state: ClusterState): EventRecord {
  const event = state.events.get(id);
  if (event === undefined) throw new CarillonError('event', `Failed to locate event: ${id}`);
  const jobs = state.jobsOfEvent(id);
  if (jobs.length > 0) {
    const kind = jobs.every((job) => job.state === 'queued') ? 'queued' : 'running';
    throw new CarillonError('event', `Failed to delete event: Still has ${kind} jobs`);
  }
  return event;
}

/** A deep copy of what a request may store, flags as 0 or 1. Throws CarillonError `api` for a bad time zone. */
function storable(fields: Readonly<Record<string, unknown>>, context: EventContext): Record<string, unknown> {
  const kept = Object.entries(fields).filter(([key, value]) => !neverStored.has(key) && value !== undefined);
  const settings: Record<string, unknown> = structuredClone(Object.fromEntries(kept));
  normaliseFlags(settings);
  if (Object.hasOwn(settings, 'timing') && !settings['timing']) settings['timing'] = false;
  const timezone = text(settings, 'timezone');
  if (timezone !== '' && timezone !== context.defaultTimezone && !isTimezone(timezone)) {
    throw new CarillonError('api', `Malformed or unknown timezone: ${timezone}`);
  }
  return settings;
}

/** The event's plugin. Throws CarillonError `event` when it or the category does not exist. */
function checkReferences(event: EventRecord, state: ClusterState, failure: string): PluginRecord {
  const plugin = state.plugins.get(event.plugin);
  if (plugin === undefined) throw new CarillonError('event', `${failure}: Plugin not found: ${event.plugin}`);
  if (state.categories.get(event.category) === undefined) {
    throw new CarillonError('event', `${failure}: Category not found: ${event.category}`);
  }
  return plugin;
}

function checkPluginParams(event: EventRecord, plugin: PluginRecord): void {
  const declared = new Set(plugin.params.map((param) => param.id));
  for (const key of Object.keys(event.params)) {
    if (!declared.has(key)) throw new CarillonError('event', `Unknown Plugin parameter: ${key}`);
  }
}

function text(fields: Readonly<Record<string, unknown>>, key: string): string {
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
  return typeof value === 'string' ? value : '';
}

function count(fields: Readonly<Record<string, unknown>>, key: string): number {
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
  return typeof value === 'number' ? value : 0;
}

const recordOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {};
