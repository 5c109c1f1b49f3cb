/** What to run. `script`: text with a `#!` line, put in a private file and executed directly. */
export type Program =
  | { kind: 'exec'; file: string; args: readonly string[] }
  | { kind: 'script'; source: string };

export interface ProcessSpec {
  program: Program;
  /** Name for private files; unique per run. */
  name: string;
  cwd: string;
  /** The whole environment of the process; nothing is inherited. */
  env: Readonly<Record<string, string>>;
  uid?: number;
  gid?: number;
  /** What is written to standard input, which is then closed; `pid`: of the started process. */
  stdin: (pid: number) => string;
}

/** One of `code` and `signal` is null. */
export interface ProcessExit {
  code: number | null;
  signal: string | null;
  /** When it was, in Unix milliseconds, for processes that may have ended while nobody watched. */
  atMs?: number;
}

/** The process could not be started; `message` says why in words a user understands. */
export class SpawnError extends Error {
  /** System error name such as ENOENT, or '' */
  readonly reason: string;
  constructor(message: string, reason: string) {
    super(message);
    this.name = 'SpawnError';
    this.reason = reason;
  }
}

export interface RunningProcess {
  readonly pid: number;
  /** Chunks in order; reading stops while the consumer is busy (back pressure reaches the process). */
  readonly stdout: AsyncIterable<Uint8Array>;
  readonly stderr: AsyncIterable<Uint8Array>;
  /** Resolves exactly once, never rejects. Output may still follow. */
  readonly exited: Promise<ProcessExit>;
  /** Ends both streams even if some descendant still holds the pipes open. */
  stopReading(): void;
  /** Signals the whole process group; false when no process of it exists any more. `0` only asks. */
  signalGroup(signal: 'SIGTERM' | 'SIGKILL' | 0): boolean;
}

/** Sums over a process tree. */
export interface TreeSample {
  /** Percent of one core since the last sample; undefined when there was no stretch of time to measure over. */
  cpu?: number;
  /** Resident bytes. */
  mem: number;
}

export interface ProcessLauncher {
  /** Starts the process as leader of a new process group. Throws SpawnError. */
  launch(spec: ProcessSpec): Promise<RunningProcess>;
  /** User and group ids and home of a user given by name or number; undefined when unknown. */
  resolveUser(user: string | number): Promise<UserInfo | undefined>;
  resolveGroup(group: string | number): Promise<number | undefined>;
  /**
   * Kills every process whose environment has `CARILLON_RUN` with this value, or with `prefix` one that starts with
   * it, also those that have left the group of their run, and resolves with their number. Where the system has no
   * way to find them, nothing happens.
   */
  killStrays(marker: string, match?: 'exact' | 'prefix'): Promise<number>;
  /** Pids of the processes `killStrays` would kill; none where the system has no way to find them. */
  findStrays(marker: string, match?: 'exact' | 'prefix'): Promise<number[]>;
}

export interface UserInfo {
  uid: number;
  gid: number;
  username: string;
  home: string;
  shell: string;
}

/** Resource use of process trees. */
export interface ProcessSampler {
  /**
   * One pass over the process table for all given root pids. A pid that is gone has no entry. The first sample of a
   * pid may measure CPU since the start of the process.
   */
  sample(pids: readonly number[]): Promise<Map<number, TreeSample>>;
}
