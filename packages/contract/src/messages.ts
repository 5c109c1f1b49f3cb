import type { Static } from 'typebox';
import { Type } from './schema.js';
import { ResourceStat } from './fields.js';

/**
 * Messages between a worker and the primary over the cluster channel (WebSocket, JSON text frames).
 * All are hints: each may be lost or repeated, and none is needed for correctness.
 * The truth is in the store, in tickets and in results.
 */

/** One run of a job: the job and the attempt, counted from 1. */
export const RunRef = Type.Object({ job: Type.String(), attempt: Type.Integer({ minimum: 1 }) });
export type RunRef = Static<typeof RunRef>;

/** Name of a run in queues: job id and attempt, no colon. */
export const runId = (run: RunRef): string => `${run.job}-${run.attempt}`;

/**
 * Why a job is ended before it ends by itself (behaviour reference 5.10): by hand, one or by criteria; because its event
 * was disabled; by one of its limits; or because its worker shuts down.
 */
export const AbortKind = Type.Union([
  Type.Literal('manual'),
  Type.Literal('bulk'),
  Type.Literal('disabled'),
  Type.Literal('timeout'),
  Type.Literal('memory'),
  Type.Literal('cpu'),
  Type.Literal('log'),
  Type.Literal('shutdown'),
]);
export type AbortKind = Static<typeof AbortKind>;

/** What a worker knows about one of its running jobs. */
export const RunReport = Type.Object({
  job: Type.String(),
  attempt: Type.Integer(),
  pid: Type.Optional(Type.Integer()),
  /** Unix seconds with milliseconds. */
  time_start: Type.Optional(Type.Number()),
  log_file: Type.Optional(Type.String()),
  log_file_size: Type.Optional(Type.Integer()),
  progress: Type.Optional(Type.Number()),
  cpu: Type.Optional(ResourceStat),
  mem: Type.Optional(ResourceStat),
});
export type RunReport = Static<typeof RunReport>;

/** Worker → primary. */
export const WorkerMessage = Type.Union([
  /** First message on each connection: who the worker is and every run it holds. */
  Type.Object({
    type: Type.Literal('hello'),
    node: Type.Object({
      id: Type.String({ pattern: '^\\w+$', maxLength: 64 }),
      /** New for every start of the worker process. */
      boot: Type.String({ maxLength: 64 }),
      hostname: Type.String({ maxLength: 255 }),
      ip: Type.String({ maxLength: 64 }),
      groups: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 256 }),
      master: Type.Union([Type.Literal(0), Type.Literal(1)]),
      slots: Type.Integer({ minimum: 0 }),
      version: Type.String({ maxLength: 64 }),
    }),
    runs: Type.Array(RunReport),
    draining: Type.Boolean(),
  }),
  /** Every second: the worker's own load and the runs that changed since the last beat. */
  Type.Object({
    type: Type.Literal('beat'),
    cpu: Type.Number(),
    mem: Type.Number(),
    runs: Type.Array(RunReport),
  }),
  /** A run was claimed and its process started, or its progress changed. */
  Type.Object({ type: Type.Literal('run'), run: RunReport }),
  /** A run's result is on the results queue; the run is no longer held. */
  Type.Object({ type: Type.Literal('settled'), job: Type.String(), attempt: Type.Integer() }),
  /** New log text of a watched job, from byte `offset` of the log. */
  Type.Object({
    type: Type.Literal('log'),
    job: Type.String(),
    offset: Type.Integer(),
    text: Type.String(),
    /** Bytes in the log when this was read; `offset` + bytes of `text` = `size` means: up to date. */
    size: Type.Integer(),
    /** True: the log is complete, nothing follows. */
    end: Type.Boolean(),
  }),
  /** The worker will take no more jobs. */
  Type.Object({ type: Type.Literal('draining') }),
]);
export type WorkerMessage = Static<typeof WorkerMessage>;
export type WorkerHello = Extract<WorkerMessage, { type: 'hello' }>;

/** Primary → worker. */
export const PrimaryMessage = Type.Union([
  /** Answer to hello. */
  Type.Object({ type: Type.Literal('welcome'), term: Type.Integer() }),
  /** End this run's process tree; the reason is recorded in the job. Repeats are harmless. */
  Type.Object({
    type: Type.Literal('abort'),
    job: Type.String(),
    attempt: Type.Integer(),
    kind: AbortKind,
    reason: Type.String(),
  }),
  /** Changed settings of an active job (update_job). */
  Type.Object({
    type: Type.Literal('update'),
    job: Type.String(),
    attempt: Type.Integer(),
    settings: Type.Record(Type.String(), Type.Unknown()),
  }),
  /** Send the log from byte `offset`, and what follows, until `unwatch`. */
  Type.Object({ type: Type.Literal('watch'), job: Type.String(), offset: Type.Integer() }),
  Type.Object({ type: Type.Literal('unwatch'), job: Type.String() }),
  /** Take no more jobs and end with the last one, within `graceSec` if it is given; then start anew, or stay away. */
  Type.Object({
    type: Type.Literal('drain'),
    restart: Type.Boolean(),
    graceSec: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
]);
export type PrimaryMessage = Static<typeof PrimaryMessage>;

/** Work order on a worker's own queue. The job itself is read by the claim. */
export interface Ticket extends RunRef {
  /** Term of the primary that dispatched. */
  term: number;
}

/** How a run ended, as the worker saw it. */
export interface JobOutcome {
  code: number | string;
  description: string;
  /** Set when the run was aborted. */
  abort_reason?: string;
  /** Set with `abort_reason`; not part of the job's record. */
  abort?: AbortKind;
  /** 1: the process ended without reporting completion. */
  unknown?: 1;
  /** What was wrong beside the outcome: reports left out, processes that live on. Part of the job's record. */
  warning?: string;
}

/** Result of a run, durable on the results queue until the primary has applied it. */
export interface JobResult extends RunRef {
  node: string;
  hostname: string;
  /** Unix seconds with milliseconds. */
  time_start: number;
  time_end: number;
  pid: number;
  outcome: JobOutcome;
  log_file_size: number;
  cpu?: ResourceStat;
  mem?: ResourceStat;
  /** Keys the plugin reported: progress, perf, table, html, label, chain… */
  reported: Record<string, unknown>;
}

/** Live channel for API clients (`/api/live`): client → server. */
export const LiveRequest = Type.Union([
  /** First message, unless the credential came as X-Session-ID or X-API-Key header of the upgrade. */
  Type.Object({
    type: Type.Literal('authenticate'),
    api_key: Type.Optional(Type.String({ maxLength: 256 })),
    session_id: Type.Optional(Type.String({ maxLength: 256 })),
  }),
  /** Follow one job: its state, and its log from the start. */
  Type.Object({ type: Type.Literal('watch_job'), id: Type.String({ pattern: '^\\w+$', maxLength: 64 }) }),
  Type.Object({ type: Type.Literal('unwatch_job'), id: Type.String({ pattern: '^\\w+$', maxLength: 64 }) }),
]);
export type LiveRequest = Static<typeof LiveRequest>;

/** Live channel: server → client. */
export type LiveEvent =
  | { type: 'authenticated' }
  | { type: 'error'; code: string; description: string }
  /** State, progress, samples; sent at once and on each change. */
  | { type: 'job'; job: Record<string, unknown> }
  /** Log text from byte `offset`. */
  | { type: 'log'; id: string; offset: number; text: string; end: boolean };

/** Path of the worker channel and of the clients' live channel. */
export const clusterChannelPath = '/cluster';
export const liveChannelPath = '/api/live';
