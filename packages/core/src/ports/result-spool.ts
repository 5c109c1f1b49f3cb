import type { JobResult } from '@carillon/contract';

/** Results kept on the worker's disk from the moment a run settles until the queue has them. */
export interface ResultSpool {
  /** Durable against a crash of the process when it resolves. Replaces a result of the same run. */
  put(result: JobResult): Promise<void>;
  remove(result: JobResult): Promise<void>;
  /** Results left by earlier boots, oldest first; unreadable files are skipped and reported in the log. */
  list(): Promise<JobResult[]>;
}
