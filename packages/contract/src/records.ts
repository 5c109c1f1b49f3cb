import type { Static } from 'typebox';
import { Type } from './schema.js';
import {
  Algorithm,
  Count,
  EpochSeconds,
  Flag,
  Id,
  ManagedBy,
  OptionalId,
  Params,
  PlainText,
  Recipients,
  ResourceStat,
  Target,
  Timing,
  Title,
  Username,
  WebHook,
} from './fields.js';

/** The settings a client may give for an event (reference: Event Data Format). */
export const eventSettings = {
  algo: Type.Optional(Algorithm),
  catch_up: Type.Optional(Flag),
  category: Type.Optional(Id),
  chain: Type.Optional(OptionalId),
  chain_error: Type.Optional(OptionalId),
  cpu_limit: Type.Optional(Count),
  cpu_sustain: Type.Optional(Count),
  created: Type.Optional(EpochSeconds),
  detached: Type.Optional(Flag),
  enabled: Type.Optional(Flag),
  id: Type.Optional(Id),
  log_max_size: Type.Optional(Count),
  log_expire_days: Type.Optional(Count),
  managed_by: Type.Optional(ManagedBy),
  max_children: Type.Optional(Count),
  memory_limit: Type.Optional(Count),
  memory_sustain: Type.Optional(Count),
  modified: Type.Optional(EpochSeconds),
  multiplex: Type.Optional(Flag),
  notes: Type.Optional(PlainText),
  notify_fail: Type.Optional(Recipients),
  notify_success: Type.Optional(Recipients),
  params: Type.Optional(Params),
  plugin: Type.Optional(Id),
  queue: Type.Optional(Flag),
  queue_max: Type.Optional(Count),
  retries: Type.Optional(Count),
  retry_delay: Type.Optional(Count),
  stagger: Type.Optional(Count),
  target: Type.Optional(Target),
  timeout: Type.Optional(Count),
  timezone: Type.Optional(Type.String({ maxLength: 64 })),
  timing: Type.Optional(
    Type.Union([Timing, Type.Null(), Type.Literal(false), Type.Literal(0), Type.Literal('')]),
  ),
  title: Type.Optional(Title),
  username: Type.Optional(Username),
  web_hook: Type.Optional(WebHook),
};

/**
 * An event as stored and answered. Flags are 0 or 1. `timing` absent or false = on demand only.
 * Unknown keys given at creation are kept (`[key: string]`).
 */
export interface EventRecord {
  id: string;
  title: string;
  enabled: 0 | 1;
  category: string;
  plugin: string;
  target: string;
  params: Record<string, unknown>;
  timing?: Timing | false;
  timezone: string;
  /** Most jobs of the event at one time; 0 = no limit. */
  max_children: number;
  /** Seconds; 0 = no limit. */
  timeout: number;
  created: number;
  modified: number;
  username?: string;
  /** Id of the API key record that created the event; never the key itself. */
  api_key?: string;
  algo?: Algorithm;
  multiplex?: 0 | 1;
  /** Seconds between the starts of multiplexed jobs. */
  stagger?: number;
  retries?: number;
  retry_delay?: number;
  catch_up?: 0 | 1;
  detached?: 0 | 1;
  queue?: 0 | 1;
  queue_max?: number;
  chain?: string;
  chain_error?: string;
  notify_success?: string;
  notify_fail?: string;
  web_hook?: string;
  cpu_limit?: number;
  cpu_sustain?: number;
  memory_limit?: number;
  memory_sustain?: number;
  log_max_size?: number;
  log_expire_days?: number;
  notes?: string;
  managed_by?: string;
  [key: string]: unknown;
}

export interface CategoryRecord {
  id: string;
  title: string;
  enabled: 0 | 1;
  /** Most jobs of the category at one time; 0 = no limit. */
  max_children: number;
  description?: string;
  color?: string;
  notify_success?: string;
  notify_fail?: string;
  web_hook?: string;
  cpu_limit?: number;
  cpu_sustain?: number;
  memory_limit?: number;
  memory_sustain?: number;
  log_max_size?: number;
  managed_by?: string;
  created: number;
  modified: number;
  username?: string;
  /** Id of the API key record that created it. */
  api_key?: string;
}

export interface PluginParam {
  id: string;
  /** `text`, `textarea`, `checkbox`, `hidden`, `select` or another word. */
  type: string;
  title?: string;
  value?: unknown;
  size?: number;
  rows?: number;
  items?: string[];
  /** What other types bring along is kept. */
  [key: string]: unknown;
}

export interface PluginRecord {
  id: string;
  title: string;
  enabled: 0 | 1;
  /**
   * Executable and arguments. `builtin:shell` runs the script parameter directly;
   * `builtin:NAME` runs a program that ships with Carillon.
   */
  command: string;
  params: PluginParam[];
  cwd?: string;
  uid?: string | number;
  gid?: string | number;
  env?: Record<string, string>;
  managed_by?: string;
  created: number;
  modified: number;
  username?: string;
  /** Id of the API key record that created it. */
  api_key?: string;
}

export interface ServerGroupRecord {
  id: string;
  title: string;
  /** JavaScript regular expression, tested against the lower-case host name. */
  regexp: string;
  /** Kept for compatibility: 1 = members may be primary. */
  master: 0 | 1;
  managed_by?: string;
}

/** An API key as stored: the key itself is only known as its SHA-256. */
export interface ApiKeyRecord {
  id: string;
  title: string;
  description?: string;
  /** SHA-256 of the key string, lower-case hex. */
  key_hash: string;
  active: 0 | 1;
  privileges: Record<string, unknown>;
  created: number;
  modified: number;
  username?: string;
}

/** A worker node known to the cluster. */
export interface ServerRecord {
  /** Node id, generated once and kept in the node's data directory. */
  id: string;
  /** Lower-case host name: a label, not an identity. */
  hostname: string;
  ip: string;
  /** Group ids the worker declares itself a member of. */
  groups: string[];
  /** 1 when the node also runs the primary role. */
  master: 0 | 1;
  /** Most jobs at one time; 0 = no limit. */
  slots: number;
  /** Unix seconds of first contact. */
  created: number;
}

/** The scheduler switch and today's totals. */
export interface MasterState {
  enabled: 0 | 1;
  stats: {
    jobs_completed: number;
    /** Failed jobs, and launches by schedule that failed. */
    jobs_failed: number;
    jobs_elapsed: number;
    jobs_log_size: number;
    emails_sent: number;
  };
}

/** Where a job is; wire fields such as `complete` are views of it. */
export const JobState = Type.Union([
  Type.Literal('queued'),
  Type.Literal('waiting'),
  Type.Literal('dispatched'),
  Type.Literal('running'),
  Type.Literal('silent'),
  Type.Literal('settled'),
  Type.Literal('completed'),
]);
export type JobState = Static<typeof JobState>;

/**
 * A job on the wire (behaviour reference 3.3): the merged event settings plus what follows.
 * Times are Unix seconds, `time_*` with milliseconds; `cpu` is percent of one core, `mem` bytes.
 */
export interface JobFields {
  id: string;
  event: string;
  event_title: string;
  category: string;
  category_title: string;
  plugin: string;
  plugin_title: string;
  /** Group title or the host name that was targeted. */
  nice_target: string;
  target: string;
  params: Record<string, unknown>;
  command: string;
  cwd?: string;
  uid?: string | number;
  gid?: string | number;
  env?: Record<string, string>;
  /** The scheduled minute, or the time of the request. */
  now: number;
  /** Who started it; absent for scheduled jobs. */
  source?: string;
  /** Host name of the chosen server; empty while queued. */
  hostname: string;
  time_start?: number;
  time_end?: number;
  elapsed?: number;
  timeout?: number;
  /** Planned start of a waiting job, Unix seconds. */
  when?: number;
  log_file?: string;
  log_file_size?: number;
  pid?: number;
  progress?: number;
  cpu?: ResourceStat;
  mem?: ResourceStat;
  complete?: 1;
  code?: number | string;
  description?: string;
  abort_reason?: string;
  unknown?: 1;
  perf?: unknown;
  table?: unknown;
  html?: unknown;
  label?: string;
  [key: string]: unknown;
}

/** A row of get_history and get_event_history (behaviour reference 3.4). */
export interface HistoryRow {
  id: string;
  code: number | string;
  description?: string;
  event: string;
  event_title: string;
  category: string;
  category_title: string;
  plugin: string;
  plugin_title: string;
  hostname: string;
  target: string;
  time_start: number;
  elapsed: number;
  perf: unknown;
  cpu: ResourceStat | Record<string, never>;
  mem: ResourceStat | Record<string, never>;
  log_file_size: number;
  label?: string;
  /** Days of the job's own, which win over `job_data_expire_days`. */
  log_expire_days?: number;
  action: 'job_complete';
  /** Unix seconds of completion. */
  epoch: number;
}

/** The `list` object of paged answers. */
export const ListHeader = Type.Object({
  page_size: Type.Integer(),
  first_page: Type.Integer(),
  last_page: Type.Integer(),
  length: Type.Integer(),
  type: Type.Literal('list'),
});
export type ListHeader = Static<typeof ListHeader>;

/** Job fields as a schema, for answers. */
export const JobSchema = Type.Object(
  {
    id: Id,
    event: Type.String(),
    event_title: Type.String(),
    category: Type.String(),
    category_title: Type.String(),
    plugin: Type.String(),
    plugin_title: Type.String(),
    nice_target: Type.String(),
    hostname: Type.String(),
    state: JobState,
    params: Params,
    now: Type.Integer(),
    source: Type.Optional(Type.String()),
    time_start: Type.Optional(Type.Number()),
    time_end: Type.Optional(Type.Number()),
    elapsed: Type.Optional(Type.Number()),
    progress: Type.Optional(Type.Number()),
    pid: Type.Optional(Type.Integer()),
    log_file: Type.Optional(Type.String()),
    log_file_size: Type.Optional(Type.Integer()),
    cpu: Type.Optional(ResourceStat),
    mem: Type.Optional(ResourceStat),
    complete: Type.Optional(Type.Literal(1)),
    code: Type.Optional(Type.Union([Type.Number(), Type.String()])),
    description: Type.Optional(Type.String()),
  },
  { additionalProperties: true },
);

const stored = {
  id: Id,
  title: Title,
  category: Id,
  plugin: Id,
  target: Target,
  enabled: Type.Union([Type.Literal(0), Type.Literal(1)]),
  params: Params,
  timezone: Type.String(),
  max_children: Count,
  timeout: Count,
  created: EpochSeconds,
  modified: EpochSeconds,
};
/** Event as answered. */
export const EventSchema = Type.Object({ ...eventSettings, ...stored }, { additionalProperties: true });

/** Row of a history answer. */
export const HistoryRowSchema = Type.Object(
  {
    id: Id,
    code: Type.Union([Type.Number(), Type.String()]),
    event: Type.String(),
    event_title: Type.String(),
    category: Type.String(),
    plugin: Type.String(),
    hostname: Type.String(),
    time_start: Type.Number(),
    elapsed: Type.Number(),
    epoch: Type.Integer(),
    action: Type.Literal('job_complete'),
  },
  { additionalProperties: true },
);
