import type {
  Clock,
  DefaultLimits,
  HtmlSanitizer,
  DetachedLauncher,
  JobLog,
  Lease,
  LogArchive,
  Logger,
  ProcessLauncher,
  ProcessSampler,
  Random,
  ResultSink,
  ResultSpool,
  RunClaims,
  TicketSource,
  WorkerChannel,
} from '@carillon/core';

/** Ports of the worker. */
export interface WorkerDeps {
  clock: Clock;
  random: Random;
  logger: Logger;
  launcher: ProcessLauncher;
  /** For processes that outlive the worker. */
  detached: DetachedLauncher;
  sampler: ProcessSampler;
  /** Logs of running jobs. */
  logs: JobLog;
  /** Logs of completed jobs. */
  archive: LogArchive;
  spool: ResultSpool;
  /** For the HTML that plugins report. */
  sanitizer: HtmlSanitizer;
  tickets: TicketSource;
  results: ResultSink;
  claims: RunClaims;
  lease: Pick<Lease, 'holder' | 'observe'>;
  channel: WorkerChannel;
  /** The primary wishes that this worker ends; whoever runs it decides how. Without it the wish is ignored. */
  onDrainRequested?: (request: DrainRequest) => void;
}

export interface DrainRequest {
  /** True: another worker is to take its place afterwards. */
  restart: boolean;
  /** Seconds running jobs get; absent = as usual. */
  graceSec?: number;
}

/** A program that ships with Carillon, for plugins whose command is `builtin:NAME`. */
export interface BuiltinProgram {
  file: string;
  args: readonly string[];
}

export interface WorkerSettings {
  node: {
    id: string;
    hostname: string;
    ip: string;
    groups: string[];
    /** 1 when the node also has the primary role. */
    master: 0 | 1;
    /** Most jobs at one time; 0 = no limit. Kept by the primary. */
    slots: number;
    version: string;
  };
  /** Of this process: pid, and user id (-1 where there is none). Only user 0 may run jobs as other users. */
  process: { pid: number; uid: number };
  /** What jobs inherit; `CARILLON_*` and `hiddenVariables` are taken out. */
  environment: Readonly<Record<string, string | undefined>>;
  hiddenVariables: readonly string[];
  /** Working directory of jobs whose plugin has none; absolute. */
  workDirectory: string;
  /** `shell` is not among them: it has no program. */
  builtins: ReadonlyMap<string, BuiltinProgram>;
  /** From SIGTERM to SIGKILL (`child_kill_timeout`). */
  killTimeoutMs: number;
  sampleIntervalMs: number;
  /** For jobs that have no limits of their own. */
  limits: DefaultLimits;
  /** Days a log is kept unless the job says otherwise (`job_data_expire_days`). */
  expireDays: number;
  /** For times in logs: an IANA name or `system`. */
  zone: string;
  /** How long a stopping worker tries to hand in results; what is left stays in the spool. */
  reportGraceMs: number;
}
