/** The log of a run while it is written: a local file. */
export interface JobLogWriter {
  /** Absolute path, shown as `log_file`. */
  readonly path: string;
  /** Bytes so far. */
  readonly size: number;
  /** Appends in order; resolves when the next chunk may come. */
  write(chunk: Uint8Array | string): Promise<void>;
  /** Resolves when everything written so far is in the file, and outlives this process. */
  flushed(): Promise<void>;
  /** All bytes are in the file. */
  close(): Promise<void>;
}

export interface JobLog {
  /** Creates or continues the log of a job; with `keepBytes` it is cut to that size first. */
  open(job: string, keepBytes?: number): Promise<JobLogWriter>;
  /**
   * Puts a log in place that was compressed with gzip, whole or not at all. Harmless when the job has a log by the
   * time it is whole: that one stays. Rejects when the bytes are not a whole gzip stream.
   */
  restore(job: string, compressed: AsyncIterable<Uint8Array>): Promise<void>;
  /** Bytes from `offset`, at most `limit`; empty at the end or when there is no log. */
  read(job: string, offset: number, limit: number): Promise<Uint8Array>;
  /** The whole log, compressed with gzip, in chunks. */
  compressed(job: string): AsyncIterable<Uint8Array>;
  /** Harmless when absent. */
  remove(job: string): Promise<void>;
  /** Jobs that have a log, in no particular order. */
  list(): Promise<string[]>;
}

/**
 * Logs of completed jobs, gzip-compressed, readable by every node. Calls end within a time limit of the
 * implementation and reject when the place is out of reach; what was asked for may then have happened or not.
 */
export interface LogArchive {
  /** Replaces any earlier log of the job. Whole or not at all for readers. Kept for `expireSec` from now. */
  put(job: string, chunks: AsyncIterable<Uint8Array>, expireSec: number): Promise<void>;
  /**
   * The compressed bytes, or undefined when there is no log or its time is over. Nothing is held open until the
   * first byte is asked for.
   */
  get(job: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Harmless when absent. */
  remove(job: string): Promise<void>;
  /**
   * Moves the end of a log's life to `untilSec`, Unix seconds: later, sooner, or past, which ends it for readers at
   * once. Harmless when absent; a log whose time is over may or may not come back.
   */
  keepUntil(job: string, untilSec: number): Promise<void>;
  /**
   * Frees the space of at most `limit` logs whose time is over, oldest first, at the cost of these alone; those of the
   * present day (UTC) may be left for later. Answers how much it did: 0 when nothing is left to do. Several nodes may
   * sweep at once.
   */
  sweep(limit: number): Promise<number>;
}
