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
  /** Bytes from `offset`, at most `limit`; empty at the end or when there is no log. */
  read(job: string, offset: number, limit: number): Promise<Uint8Array>;
  /** The whole log, compressed with gzip, in chunks. */
  compressed(job: string): AsyncIterable<Uint8Array>;
  /** Harmless when absent. */
  remove(job: string): Promise<void>;
  /** Jobs that have a log, in no particular order. */
  list(): Promise<string[]>;
}

/** Logs of completed jobs, gzip-compressed, readable by every node. */
export interface LogArchive {
  /** Replaces any earlier log of the job. Whole or not at all for readers. */
  put(job: string, chunks: AsyncIterable<Uint8Array>, expireSec: number): Promise<void>;
  /** The compressed bytes, or undefined. */
  get(job: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  remove(job: string): Promise<void>;
}
