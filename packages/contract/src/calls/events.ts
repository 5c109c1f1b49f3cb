import { Type } from '../schema.js';
import { Count, Flag, Id, Target, Title } from '../fields.js';
import { EventSchema, eventSettings, HistoryRowSchema, JobSchema, ListHeader } from '../records.js';
import type { ApiCall } from './api-call.js';
import { allRows, describe, empty, eventId, page } from './parts.js';

const { title: _title, id: _id, managed_by: _managedBy, ...overridable } = eventSettings;
const required = {
  title: Title,
  enabled: Flag,
  category: Id,
  plugin: Id,
  target: Target,
};

/** A minute in which an event will be launched. */
const UpcomingRow = Type.Object({
  event: Id,
  epoch: Type.Integer({ description: 'Unix time of the minute' }),
  event_title: Title,
  category: Id,
  plugin: Id,
  target: Target,
});

/** Calls about events and what came of them (behaviour reference 2.1). */
export const eventCalls = {
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
  get_upcoming: {
    summary: 'Launches of the next hours, soonest first.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'valid',
    primaryOnly: true,
    params: Type.Object({
      hours: Type.Optional(
        describe(
          Type.Union([Type.Number(), Type.String(), Type.Null()]),
          'How far to look ahead: 1 to 168; defaults to 24, and 0, null or text means 24',
        ),
      ),
      ...page(50),
    }),
    response: Type.Object({
      rows: Type.Array(UpcomingRow),
      list: ListHeader,
      until: Type.Integer({ description: 'Unix time of the last minute that was looked at' }),
      enabled: Type.Integer({ description: 'Scheduler switch; when it is 0 there are no rows' }),
    }),
    notes:
      '`list.length` counts the launches up to `until`. In a very large schedule the search ends before the hours are over; `until` tells where. Events whose category or plugin is disabled launch nothing and are left out, and so is what `catch_up` makes up.',
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
} as const satisfies Record<string, ApiCall>;
