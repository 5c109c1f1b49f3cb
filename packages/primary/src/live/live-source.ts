import type { JobFields, JobState } from '@carillon/contract';
import type { Cancel } from '@carillon/core';

/** What a watcher of one job hears. */
export interface LiveListener {
  /** The job as it is now: at once, and at each change. */
  onJob(job: JobFields & { state: JobState }): void;
  /** Log text from byte `offset`, in order and without gaps; with `end` nothing follows. */
  onLog(piece: { offset: number; text: string; end: boolean }): void;
}

/** Where the live channel learns what happens to jobs. */
export interface LiveSource {
  /** Watches an active job and its log from the start. Undefined when there is no such active job. */
  watchJob(id: string, listener: LiveListener): Cancel | undefined;
}
