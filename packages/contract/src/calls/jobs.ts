import { Type } from '../schema.js';
import { Count, Flag, OptionalId, Params, Recipients, WebHook } from '../fields.js';
import { JobSchema } from '../records.js';
import type { ApiCall } from './api-call.js';
import { describe, empty, eventId, jobId } from './parts.js';

const matchNote =
  'Any other parameter, such as `event` or `category`, must equal the field of that name; without one every active job matches. One match beyond the limits of the caller refuses the whole call.';

/** Calls about jobs (behaviour reference 2.2). */
export const jobCalls = {
  get_job_status: {
    summary: 'One job, active or completed.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'valid',
    primaryOnly: true,
    params: Type.Object({ id: jobId }),
    response: Type.Object({ job: JobSchema }),
  },
  get_job_details: {
    summary: 'One completed job.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'valid',
    primaryOnly: true,
    params: Type.Object({
      id: jobId,
      need_log: Type.Optional(describe(Flag, 'Refuse the job when no log of it was kept')),
    }),
    response: Type.Object({
      job: JobSchema,
      token: Type.String({
        description: 'For links to its log: goes into `t` of `get_job_log`; good for an hour',
      }),
    }),
    notes: 'As `get_job_status`, but a job that is active is refused.',
  },
  delete_job: {
    summary: 'Delete a completed job: its record, its history rows and its log.',
    methods: ['POST'],
    merge: 'query-wins',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({ id: jobId }),
    response: empty,
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
} as const satisfies Record<string, ApiCall>;

const logToken = Type.Optional(
  describe(
    Type.String(),
    'Token of a link, instead of a credential: of `get_job_details` or `get_log_watch_auth`',
  ),
);
const download = Type.Optional(describe(Type.String(), 'Anything: answer as an attachment'));

/** Calls about the logs of jobs (behaviour reference 2.2). */
export const logCalls = {
  get_job_log: {
    summary: 'The log of a job as text: complete, or so far.',
    methods: ['GET'],
    merge: 'query-only',
    auth: 'valid',
    acceptsToken: true,
    answersText: true,
    primaryOnly: true,
    params: Type.Object({ id: jobId, t: logToken, download }),
    response: empty,
    notes: 'Answers `text/plain`; errors are JSON.',
  },
  get_live_job_log: {
    summary: 'The log of an active job so far, as text.',
    methods: ['GET'],
    merge: 'query-only',
    auth: 'valid',
    acceptsToken: true,
    answersText: true,
    primaryOnly: true,
    params: Type.Object({ id: jobId, t: logToken, download }),
    response: empty,
    notes: 'As `get_job_log`, but a job that is completed is refused.',
  },
  get_log_watch_auth: {
    summary: 'A token for links to the log of an active job.',
    methods: ['GET', 'POST'],
    merge: 'body-only',
    auth: 'valid',
    primaryOnly: true,
    params: Type.Object({ id: jobId }),
    response: Type.Object({ token: Type.String({ description: 'Goes into `t` of `get_job_log`' }) }),
    notes:
      'A token stands for whoever asked for it and for this job alone, is good for an hour, and ends with the primary.',
  },
} as const satisfies Record<string, ApiCall>;
