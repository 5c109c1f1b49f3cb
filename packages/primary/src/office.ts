import type { DeliveryRow, HistoryRow, JobFields, JobState } from '@carillon/contract';
import type { Accounts } from './accounts/index.js';
import type { LogTokens } from './live/log-tokens.js';
import type { ClusterStatus } from './office/cluster-status.js';
import type { ServerService } from './membership/server-service.js';
import type { RecordService } from './catalog/record-service.js';
import type { ExportService } from './transfer/export-service.js';
import type { ImportService } from './transfer/import-service.js';
import type {
  ActivityEntry,
  Caller,
  ClusterState,
  LaunchRequest,
  Page,
  PrimaryInfo,
  Session,
  Upcoming,
  UpcomingWish,
} from '@carillon/core';

/** What a launch answered: ids of all jobs, and the queue length when the event allows queueing and one waits. */
export interface LaunchAnswer {
  ids: string[];
  queue?: number;
}

/** Settings an update carries beside the event's own. */
export interface EventUpdateOptions {
  /** Unix seconds. */
  resetCursor?: number;
  abortJobs: boolean;
}

/**
 * What exists on a node only while it is the primary. All mutating calls resolve when the write is
 * durable, and throw CarillonError for expected refusals. Reads come from memory; never change what
 * they return.
 */
export interface Office {
  readonly session: Session;
  readonly state: ClusterState;
  /** Categories, plugins, server groups and API keys. */
  readonly records: RecordService;
  /** The servers that run jobs. */
  readonly servers: ServerService;
  readonly exports: ExportService;
  readonly imports: ImportService;
  /** Users and their sessions. */
  readonly accounts: Accounts;
  readonly cluster: ClusterStatus;
  readonly logTokens: LogTokens;
  createEvent(fields: Record<string, unknown>, caller: Caller): Promise<string>;
  updateEvent(
    id: string,
    changes: Record<string, unknown>,
    options: EventUpdateOptions,
    caller: Caller,
  ): Promise<void>;
  deleteEvent(id: string, caller: Caller): Promise<void>;
  /** Throws CarillonError('event', 'Failed to launch event: …') when refused. */
  launch(request: LaunchRequest): Promise<LaunchAnswer>;
  /** Length of an event's queue. */
  queueLength(event: string): number;
  /** An active job as clients see it. */
  activeJob(id: string): (JobFields & { state: JobState }) | undefined;
  /** Views of all active jobs of an event, launch order. */
  activeJobsOf(event: string): (JobFields & { state: JobState })[];
  activeJobs(): IterableIterator<JobFields & { state: JobState }>;
  completedJob(id: string): Promise<JobFields | undefined>;
  history(event: string | undefined, offset: number, limit: number): Promise<Page<HistoryRow>>;
  /** Records of web hooks and e-mails that are over, newest first. */
  deliveries(offset: number, limit: number): Promise<Page<DeliveryRow>>;
  /** The activity log, newest first. */
  activity(offset: number, limit: number): Promise<Page<ActivityEntry>>;
  /** What the schedule will launch. */
  upcoming(wish: UpcomingWish): Upcoming;
  /** Removes a completed job with its rows and its log. */
  deleteJob(job: JobFields, caller: Caller): Promise<void>;
  updateJob(id: string, settings: Record<string, unknown>): Promise<void>;
  abortJob(id: string, caller: Caller): Promise<void>;
  /** Aborts those of the jobs that are still active. */
  abortJobs(ids: readonly string[], caller: Caller, options: { noRewind: boolean }): Promise<void>;
  /** Aborts the queued jobs of an event. */
  flushQueue(event: string, caller: Caller): Promise<void>;
  setEnabled(enabled: 0 | 1, caller: Caller): Promise<void>;
  /** Ends the term and lets other nodes take over for `quietMs`; resolves when the lease is given up. */
  stepDown(quietMs: number, caller: Caller): Promise<void>;
  /** The log so far (active) or complete (gzip) as bytes; undefined when there is none. */
  jobLog(id: string): Promise<{ gzip: boolean; bytes: AsyncIterable<Uint8Array> } | undefined>;
  /** Host names of all known servers, lower-case: group scopes are tested against them. */
  hostnames(): string[];
}

/** This node's place in the cluster, for the HTTP layer. */
export interface Standing {
  /** The office, while this node is primary and has loaded its state. */
  office(): Office | undefined;
  /** The present primary as far as known; may be this node itself while it takes office. */
  primary(): PrimaryInfo | undefined;
  /** This node's own id. */
  readonly nodeId: string;
}
