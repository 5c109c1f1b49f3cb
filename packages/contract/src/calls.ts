import { type Static, type TObject, type TProperties, Type } from 'typebox';
import { DeliveryRow } from './deliveries.js';
import { Count, Flag, Id, OptionalId, Params, Recipients, Target, Title, WebHook } from './fields.js';
import { EventSchema, eventSettings, HistoryRowSchema, JobSchema, ListHeader } from './records.js';

/** How the query string and the body become one set of parameters (behaviour reference 1.3). */
export type MergeRule =
  /** Body, then query on top. */
  | 'query-wins'
  /** Query, then body on top; with a truthy `post_data` in the query the body is kept apart. */
  | 'body-wins'
  /** Only the body counts. */
  | 'body-only'
  /** Only the query counts. */
  | 'query-only';

/** Privileges of API keys and users (behaviour reference 2.4). */
export const privileges = {
  admin: 'Everything; implies all others and ignores limits',
  create_events: 'create_event',
  edit_events: 'update_event, update_job, update_jobs',
  delete_events: 'delete_event',
  run_events: 'run_event',
  abort_events: 'abort_job, abort_jobs, flush_event_queue, update_event with abort_jobs',
  state_update: 'update_master_state',
} as const;
export type Privilege = keyof typeof privileges;

export interface ApiCall {
  readonly summary: string;
  /** Methods the reference names; others run the call as well. */
  readonly methods: readonly ('GET' | 'POST')[];
  readonly merge: MergeRule;
  /** `none`: no credential needed; `valid`: any key; otherwise a privilege. */
  readonly auth: 'none' | 'valid' | Privilege;
  /** False: any node answers. */
  readonly primaryOnly: boolean;
  /** Parameters by name; those without `Type.Optional` are required. Unknown ones are never refused. */
  readonly params: TObject<TProperties>;
  /** Fields of a successful answer beside `code: 0`. */
  readonly response: TObject<TProperties>;
  /** Descriptions of the parameters that the schemas themselves do not explain. */
  readonly notes?: string;
}

const describe = <T extends object>(schema: T, description: string): T => ({ ...schema, description });
/** `offset` and `limit` of the paged calls: integers, text that is read as an integer, or null for the default. */
const page = (limit: number, ofText = `${limit}`) => {
  const place = Type.Union([Type.Number(), Type.String(), Type.Null()]);
  return {
    offset: Type.Optional(describe(place, 'First row to return; defaults to 0')),
    limit: Type.Optional(
      describe(
        place,
        `Number of rows; defaults to ${limit}, which 0 and null mean, too; text means ${ofText}`,
      ),
    ),
  };
};
/** In a query every value is text: `limit=0` as well. */
const allRows = 'all rows when it is no number, or `0` in a query';
const empty = Type.Object({});
const matchNote =
  'Any other parameter, such as `event` or `category`, must equal the field of that name; without one every active job matches. One match beyond the limits of the caller refuses the whole call.';
const eventId = describe(Id, 'Event ID');
const jobId = describe(Id, 'Job ID');
const { title: _title, id: _id, ...overridable } = eventSettings;
const required = {
  title: Title,
  enabled: Flag,
  category: Id,
  plugin: Id,
  target: Target,
};

/** Every call of the API: the source of validation, of `docs/api.md` and of the SDK. */
export const apiCalls = {
  get_schedule: {
    summary: 'List scheduled events, newest first.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'valid',
    primaryOnly: true,
    params: Type.Object({ ...page(50) }),
    response: Type.Object({ rows: Type.Array(EventSchema), list: ListHeader }),
  },
  get_event: {
    summary: 'One event by ID or exact title, with its active jobs.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'valid',
    primaryOnly: true,
    // Any text, as this call only compares: an empty id leaves the choice to the title.
    params: Type.Object({
      id: Type.Optional(describe(Type.String(), 'Event ID; wins when both are given')),
      title: Type.Optional(describe(Type.String(), 'Exact title, case-sensitive')),
    }),
    response: Type.Object({
      event: EventSchema,
      queue: Type.Optional(Type.Integer()),
      jobs: Type.Optional(Type.Array(JobSchema)),
    }),
    notes: '`queue` is present when the event allows queueing, `jobs` when it has active jobs.',
  },
  create_event: {
    summary: 'Create an event.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'create_events',
    primaryOnly: true,
    // Required ones first: the order in which they are missed.
    params: Type.Object({ ...required, ...eventSettings, ...required }),
    response: Type.Object({ id: Id }),
    notes: 'Without `timing` the event only runs on demand; with an empty `timing` object every minute.',
  },
  update_event: {
    summary: 'Replace the given properties of an event.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'edit_events',
    primaryOnly: true,
    params: Type.Object({
      ...eventSettings,
      id: eventId,
      reset_cursor: Type.Optional(
        describe(
          Type.Union([Count, Type.Null(), Type.Literal(false)]),
          'Unix time to set the event clock to',
        ),
      ),
      abort_jobs: Type.Optional(describe(Flag, 'With enabled = 0: also abort the running jobs')),
    }),
    response: empty,
  },
  delete_event: {
    summary: 'Delete an event that has no active jobs.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'delete_events',
    primaryOnly: true,
    params: Type.Object({ id: eventId }),
    response: empty,
  },
  get_event_history: {
    summary: 'Completed jobs of one event, newest first.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'valid',
    primaryOnly: true,
    params: Type.Object({ id: eventId, ...page(100, allRows) }),
    response: Type.Object({ rows: Type.Array(HistoryRowSchema), list: ListHeader }),
  },
  get_history: {
    summary: 'Completed jobs of all events, newest first.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'valid',
    primaryOnly: true,
    params: Type.Object({ ...page(50, allRows) }),
    response: Type.Object({ rows: Type.Array(HistoryRowSchema), list: ListHeader }),
  },
  run_event: {
    summary: 'Start a job for an event now.',
    methods: ['GET', 'POST'],
    merge: 'body-wins',
    auth: 'run_events',
    primaryOnly: true,
    params: Type.Object({
      id: Type.Optional(describe(Id, 'Event ID; wins when both are given')),
      title: Type.Optional(describe(Type.String({ minLength: 1 }), 'Exact title, case-sensitive')),
      ...overridable,
      now: Type.Optional(describe(Count, 'Unix time the job is told it runs for')),
      post_data: Type.Optional(
        describe(Type.Unknown(), 'Query only: 1 hands the body to the job instead of merging it'),
      ),
    }),
    response: Type.Object({ ids: Type.Array(Id), queue: Type.Optional(Type.Integer()) }),
    notes:
      '`queue` is present when the event allows queueing: the number of jobs queued now. Anything of the event format may be given to customise this one job. In a query string `params/NAME=VALUE` sets one parameter.',
  },
  get_job_status: {
    summary: 'One job, active or completed.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'valid',
    primaryOnly: true,
    params: Type.Object({ id: jobId }),
    response: Type.Object({ job: JobSchema }),
  },
  get_active_jobs: {
    summary: 'All jobs that are not completed, by job ID.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'valid',
    primaryOnly: true,
    params: empty,
    response: Type.Object({ jobs: Type.Record(Type.String(), JobSchema) }),
  },
  update_job: {
    summary: 'Change limits, retries, chain or notifications of an active job.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'edit_events',
    primaryOnly: true,
    params: Type.Object({
      id: jobId,
      timeout: Type.Optional(Count),
      retries: Type.Optional(Count),
      retry_delay: Type.Optional(Count),
      chain: Type.Optional(OptionalId),
      chain_error: Type.Optional(OptionalId),
      notify_success: Type.Optional(Recipients),
      notify_fail: Type.Optional(Recipients),
      web_hook: Type.Optional(WebHook),
      cpu_limit: Type.Optional(Count),
      cpu_sustain: Type.Optional(Count),
      memory_limit: Type.Optional(Count),
      memory_sustain: Type.Optional(Count),
      log_max_size: Type.Optional(Count),
    }),
    response: empty,
  },
  abort_job: {
    summary: 'Abort an active job.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'abort_events',
    primaryOnly: true,
    params: Type.Object({ id: jobId }),
    response: empty,
    notes: 'Answers when the request is recorded; the process tree is gone a moment later.',
  },
  update_jobs: {
    summary: 'Change settings of all active jobs that match.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'edit_events',
    primaryOnly: true,
    params: Type.Object({
      updates: describe(Params, 'Settings as for update_job, by name'),
    }),
    response: Type.Object({ count: Type.Integer() }),
    notes: matchNote,
  },
  abort_jobs: {
    summary: 'Abort all active jobs that match, except detached ones.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'abort_events',
    primaryOnly: true,
    params: Type.Object({
      no_rewind: Type.Optional(
        describe(Flag, 'Do not let catch-up events run the minutes of the aborted jobs once more'),
      ),
    }),
    response: Type.Object({ count: Type.Integer() }),
    notes: matchNote,
  },
  flush_event_queue: {
    summary: 'Abort all queued jobs of an event.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'abort_events',
    primaryOnly: true,
    params: Type.Object({ id: eventId }),
    response: empty,
  },
  get_deliveries: {
    summary: 'Web hooks and e-mails that were delivered or given up, newest first.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({
      job: Type.Optional(describe(Id, 'Only those of this job')),
      ...page(50),
    }),
    response: Type.Object({
      rows: Type.Array(DeliveryRow),
      list: ListHeader,
      waiting: Type.Integer({ description: 'Deliveries on their way' }),
    }),
    notes: '`waiting` counts those that are not delivered yet, of all jobs. docs/hooks.md says more.',
  },
  get_master_state: {
    summary: 'Whether the scheduler is on.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'valid',
    primaryOnly: true,
    params: empty,
    response: Type.Object({ state: Type.Object({ enabled: Type.Integer() }) }),
  },
  update_master_state: {
    summary: 'Switch the scheduler on or off.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'state_update',
    primaryOnly: true,
    params: Type.Object({ enabled: Flag }),
    response: empty,
  },
  get_job_log: {
    summary: 'The log of a job as text: complete, or so far.',
    methods: ['GET'],
    merge: 'query-only',
    auth: 'valid',
    primaryOnly: true,
    params: Type.Object({
      id: jobId,
      download: Type.Optional(describe(Type.String(), 'Anything: answer as an attachment')),
    }),
    response: empty,
    notes: 'Answers `text/plain`; errors are JSON.',
  },
  ping: {
    summary: 'Is this node alive; any node answers, without a credential.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'none',
    primaryOnly: false,
    params: empty,
    response: empty,
  },
} as const satisfies Record<string, ApiCall>;

export type ApiCallName = keyof typeof apiCalls;
/** Parameters of a call. */
export type CallParams<Name extends ApiCallName> = Static<(typeof apiCalls)[Name]['params']>;
/** Fields of a successful answer beside `code`. */
export type CallAnswer<Name extends ApiCallName> = Static<(typeof apiCalls)[Name]['response']>;

/** `^name$` of a known call; never looks at prototypes. */
export function findCall(name: string): (ApiCall & { name: ApiCallName }) | undefined {
  if (!Object.hasOwn(apiCalls, name)) return undefined;
  const key = name as ApiCallName;
  return { ...apiCalls[key], name: key };
}

/** Path of a call, as the reference prints it. */
export const callPath = (name: ApiCallName): string => `/api/app/${name}/v1`;
