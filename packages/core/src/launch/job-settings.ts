import type { CategoryRecord, EventRecord, PluginRecord } from '@carillon/contract';
import { normaliseFlags } from '../catalog/event-flags.js';
import type { LaunchRequest } from './types.js';

/** Settings of one launch: the event's, overlaid with the request's. */
export type JobSettings = Record<string, unknown>;

/** Keys of an event that do not belong into its jobs (behaviour reference 3.3). */
const eventOnlyKeys = [
  'id',
  'title',
  'timing',
  'enabled',
  'max_children',
  'managed_by',
  'username',
  'api_key',
  'session_id',
  'modified',
  'created',
];

/**
 * Keys that say what a job is, where it runs and how it ended: set by the system alone, so that neither an
 * event nor a request can delay, redirect or end a job with them (behaviour reference 13 #44).
 */
const controlKeys = [
  '__proto__',
  'abort_jobs',
  'abort_reason',
  'attachments',
  'callback',
  'category_title',
  'code',
  'command',
  'complete',
  'cpu',
  'cwd',
  'description',
  'elapsed',
  'env',
  'event',
  'event_title',
  'gid',
  'hostname',
  'html',
  'label',
  'log_file',
  'log_file_size',
  'mem',
  'nice_target',
  'now',
  'perf',
  'pid',
  'plugin_title',
  'pretty',
  'progress',
  'reset_cursor',
  'source',
  'source_event',
  'source_job',
  'special_shutdown',
  'state',
  'table',
  'time_dead',
  'time_end',
  'time_start',
  'uid',
  'unknown',
  'update_event',
  'warning',
  'when',
];

const dropped: ReadonlySet<string> = new Set([...eventOnlyKeys, ...controlKeys]);
/** What a queued job gets anew when it is launched. */
const renewed: ReadonlySet<string> = new Set(['hostname', 'time_start', 'cwd', 'uid', 'gid', 'env']);

/**
 * The settings of a launch (behaviour reference 5.9): event ← request, without control keys, parameters merged
 * key by key, flags as 0 or 1; then what the system adds. A queued job brings its own settings instead. `max_children` and
 * `event_title` are only there when this launch has its own.
 */
export function mergeSettings(event: EventRecord, request: LaunchRequest): JobSettings {
  if (request.queued !== undefined) return copyWithout(request.queued.fields, renewed);
  const { overrides } = request;
  const hasPostData = Object.hasOwn(overrides, 'post_data');
  const title = own(overrides, 'title');
  const maxChildren = own(overrides, 'max_children');
  const username = request.username ?? own(overrides, 'username');
  const now = own(overrides, 'now');
  const settings: JobSettings = {
    ...copyWithout(event, dropped),
    ...copyWithout(overrides, dropped),
    ...structuredClone(request.extra ?? {}),
    params: structuredClone({
      ...event.params,
      ...recordOf(own(overrides, 'params')),
      ...(hasPostData ? { post_data: overrides['post_data'] } : {}),
    }),
    now: isCount(now) ? now : request.now,
    ...(typeof title === 'string' && title !== '' ? { event_title: title } : {}),
    ...(isCount(maxChildren) ? { max_children: maxChildren } : {}),
    ...(typeof username === 'string' ? { username } : {}),
    ...(request.api_key === undefined ? {} : { api_key: request.api_key }),
    ...(request.source === undefined ? {} : { source: request.source }),
  };
  normaliseFlags(settings);
  return settings;
}

/** Limits and addresses a category gives to jobs that have none of their own (behaviour reference 5.6). */
export function withCategoryDefaults(settings: JobSettings, category: CategoryRecord): JobSettings {
  const result = { ...settings };
  for (const key of ['notify_success', 'notify_fail', 'web_hook', 'log_max_size'] as const) {
    if (!settings[key] && category[key]) result[key] = category[key];
  }
  if (!settings['memory_limit'] && category.memory_limit) {
    result['memory_limit'] = category.memory_limit;
    result['memory_sustain'] = category.memory_sustain ?? 0;
  }
  if (!settings['cpu_limit'] && category.cpu_limit) {
    result['cpu_limit'] = category.cpu_limit;
    result['cpu_sustain'] = category.cpu_sustain ?? 0;
  }
  return result;
}

/**
 * Parameters as the plugin gets them: those given, its defaults for the ones that are missing, and always its
 * own values for hidden ones. Keys the plugin does not declare are passed on (API reference, run_event).
 */
export function effectiveParams(given: unknown, plugin: PluginRecord): Record<string, unknown> {
  const params = new Map(Object.entries(recordOf(given)));
  for (const param of plugin.params) {
    if (param.type === 'hidden' || !params.has(param.id)) params.set(param.id, structuredClone(param.value));
  }
  params.delete('__proto__');
  return Object.fromEntries([...params].filter(([, value]) => value !== undefined));
}

/** A string setting, '' when it is absent or of another type. */
export function textOf(settings: JobSettings, key: string): string {
  const value = own(settings, key);
  return typeof value === 'string' ? value : '';
}

/** A count setting, 0 when it is absent or of another type. */
export function countOf(settings: JobSettings, key: string): number {
  const value = own(settings, key);
  return isCount(value) ? value : 0;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

const own = (source: Readonly<Record<string, unknown>>, key: string): unknown =>
  Object.hasOwn(source, key) ? source[key] : undefined;

const recordOf = (value: unknown): object =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};

/** A deep copy of the entries whose keys are not in the set. */
function copyWithout(source: Readonly<Record<string, unknown>>, keys: ReadonlySet<string>): JobSettings {
  return structuredClone(Object.fromEntries(Object.entries(source).filter(([key]) => !keys.has(key))));
}
