import type { ApiCallName, CallAnswer, CallParams } from '@carillon/contract';
import type { CallOptions } from './options.js';

/** A job as `get_job_status` answers it. */
export type Job = CallAnswer<'get_job_status'>['job'];
/** An event as `get_event` and `get_schedule` answer it. */
export type ScheduledEvent = CallAnswer<'get_event'>['event'];
/** A row of `get_history`. */
export type HistoryEntry = CallAnswer<'get_history'>['rows'][number];

/** Logs are text: `jobLog` reads them. */
export type JsonCallName = Exclude<ApiCallName, 'get_job_log' | 'get_live_job_log'>;

type Camel<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;

/** Parameters may be left out where none is required. */
type Arguments<Name extends JsonCallName> =
  Record<never, never> extends CallParams<Name>
    ? [params?: CallParams<Name>, options?: CallOptions]
    : [params: CallParams<Name>, options?: CallOptions];

/** A method for each call of the API: `get_schedule` is `getSchedule`. */
export type CallMethods = {
  [Name in JsonCallName as Camel<Name>]: (...given: Arguments<Name>) => Promise<CallAnswer<Name>>;
};
