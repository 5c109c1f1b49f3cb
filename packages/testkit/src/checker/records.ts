/*
 * What one run of a cluster left behind: all that the checker looks at. Times are Unix seconds.
 */

/** What became of a write as far as the client knows. Refused writes are not recorded. */
export type WriteFate = 'acknowledged' | 'unsure';

/** A write of the schedule. All writes of one event were made one after the other. */
export interface EventWrite {
  event: string;
  what: 'create' | 'update' | 'delete';
  fate: WriteFate;
  /** When it was sent, and when the answer or the failure came. */
  askedSec: number;
  endedSec: number;
  /** Properties that were written. */
  fields: Readonly<Record<string, unknown>>;
}

/** A call of run_event. */
export interface RunRequest {
  event: string;
  fate: WriteFate;
  /** Ids in the answer; empty when there was none. */
  ids: readonly string[];
}

/** A line that a job wrote itself, when its process began or just before it ended. */
export interface JobLine {
  at: 'start' | 'end';
  job: string;
  /** From 1. */
  attempt: number;
  event: string;
  minute: number;
  host: string;
}

/** A completed job: a row of the history, with what its record says beside. */
export interface EndedJob {
  id: string;
  event: string;
  /** Seconds the job was told it runs for: of a scheduled job its minute. */
  now: number;
  /** Empty for scheduled jobs. */
  source: string;
  /** The job that started this one by a chain, or ''. */
  sourceJob: string;
  host: string;
  code: number | string;
  description: string;
  /** Of a success: its log is there from its first line to its last one. */
  hasLog: boolean;
}

/** A launch that did not happen, as the activity log tells it. */
export interface Excuse {
  /** Absent: of some events that are not named. */
  event?: string;
  from: number;
  to: number;
}

/** Commits that Redis applied although a later term than theirs had begun. */
export interface LateCommit {
  term: number;
  present: number;
}

export interface RunRecords {
  writes: readonly EventWrite[];
  runs: readonly RunRequest[];
  /** Jobs whose abort was acknowledged while they were active. */
  aborted: readonly string[];
  lines: readonly JobLine[];
  /** One entry for each row of the history. */
  ended: readonly EndedJob[];
  /** Jobs that were still active after all should have ended. */
  active: readonly string[];
  excuses: readonly Excuse[];
  /** The schedule at the end. */
  stored: readonly Readonly<Record<string, unknown>>[];
  lateCommits: readonly LateCommit[];
  /** Every launch due up to this minute must have happened; later ones may have. */
  settledMinute: number;
  /** The scheduler was off from here on. */
  lastMinute: number;
}
