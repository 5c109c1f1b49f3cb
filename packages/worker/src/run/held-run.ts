import { type JobFields, type ResourceStat, type RunRef, type RunReport, runId } from '@carillon/contract';
import {
  type Cancel,
  type JobLogWriter,
  type OutputProtocol,
  type RunAbort,
  type RunningProcess,
  withShownHook,
} from '@carillon/core';
import { takenSettings } from './taken-settings.js';

/** A run from its claim until its result is on the results queue. */
export class HeldRun {
  readonly ref: RunRef;
  readonly id: string;
  /** As claimed, or updated since; without credentials of its web hook, which is not the worker's to call. */
  job: JobFields;
  /** Unix seconds with milliseconds; undefined before the start. */
  timeStart: number | undefined;
  log: JobLogWriter | undefined;
  /** Last byte written to the log. */
  lastLogByte = 0;
  /** The log is closed: nothing follows. */
  logEnded = false;
  /** The log is as large as it may be: no more output goes into it. */
  logFull = false;
  process: RunningProcess | undefined;
  output: OutputProtocol | undefined;
  /** Set by the first request to end the run. */
  abort: RunAbort | undefined;
  /** Pending SIGKILL. */
  cancelKill: Cancel | undefined;
  /** SIGKILL was sent. */
  killed = false;
  /** The job goes on with another attempt, and so does its log. */
  isRetried = false;
  /** For the job's record; set when the run settles. */
  reported: Record<string, unknown> = {};
  /** What its log and its record must say beside the outcome. */
  readonly remarks: string[] = [];
  cpu: ResourceStat | undefined;
  mem: ResourceStat | undefined;
  /** Something changed since the primary was last told. */
  changed = true;
  /** Log size the primary was last told. */
  toldLogSize = 0;
  /** Resolves when nothing of the run is left on this machine. */
  readonly done: Promise<void>;
  readonly end: () => void;

  constructor(ref: RunRef, job: JobFields) {
    this.ref = ref;
    this.id = runId(ref);
    this.job = withShownHook(job);
    let end = (): void => undefined;
    this.done = new Promise((resolve) => {
      end = resolve;
    });
    this.end = end;
  }

  /** Process id; 0 when no process was started. */
  get pid(): number {
    return this.process?.pid ?? 0;
  }

  /** Takes over settings changed by the primary; they count for what is still to come. */
  update(settings: Readonly<Record<string, unknown>>): void {
    this.job = withShownHook({ ...this.job, ...takenSettings(settings) });
  }

  /** All that the primary may want to know, as of now. */
  report(): RunReport {
    const progress = this.output?.report.progress;
    this.changed = false;
    this.toldLogSize = this.log?.size ?? 0;
    return {
      job: this.ref.job,
      attempt: this.ref.attempt,
      ...(this.process === undefined ? {} : { pid: this.process.pid }),
      ...(this.timeStart === undefined ? {} : { time_start: this.timeStart }),
      ...(this.log === undefined ? {} : { log_file: this.log.path, log_file_size: this.log.size }),
      ...(progress === undefined ? {} : { progress }),
      ...(this.cpu === undefined ? {} : { cpu: this.cpu }),
      ...(this.mem === undefined ? {} : { mem: this.mem }),
    };
  }

  /** True when a report would say something new. */
  hasNews(): boolean {
    return this.changed || (this.log?.size ?? 0) !== this.toldLogSize;
  }
}
