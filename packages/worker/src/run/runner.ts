import { CarillonError, type JobOutcome, type JobResult } from '@carillon/contract';
import {
  abortedRunOutcome,
  type Environment,
  logFooter,
  logHeader,
  isRetried,
  logRemarks,
  outcomeOf,
  type OutputProtocol,
  retryNotice,
  type RunningProcess,
  SpawnError,
} from '@carillon/core';
import type { DetachedRuns } from '../detached/detached-runs.js';
import type { WorkerDeps, WorkerSettings } from '../settings.js';
import type { AbortService } from './abort.js';
import { restoreEarlierLog } from './earlier-log.js';
import type { HeldRun } from './held-run.js';
import { isDetachedJob, isShellJob, prepareRun, type PreparedRun } from './prepare.js';
import { pumpRun } from './pump.js';
import type { ResultReporter } from './report.js';
import type { RunTable } from './run-table.js';
import { takeReport } from './take-report.js';

const newlineByte = 10;
const secondsPerDay = 86_400;

export interface RunnerDeps {
  ports: Pick<WorkerDeps, 'clock' | 'logger' | 'launcher' | 'logs' | 'archive' | 'sanitizer'>;
  settings: WorkerSettings;
  /** Scrubbed. */
  environment: Environment;
  runs: RunTable;
  aborts: AbortService;
  detached: DetachedRuns;
  reporter: ResultReporter;
  onStarted: (run: HeldRun) => void;
  /** The log has grown, or progress was reported. */
  onOutput: (run: HeldRun) => void;
  /** The log is complete and closed, and still readable while the returned promise is pending. */
  onLogEnded: (run: HeldRun) => Promise<void>;
  /** The run is no longer held; `reported`: its result is on the queue, not only in the spool. */
  onEnded: (run: HeldRun, reported: boolean) => void;
}

/** Takes a claimed run through its life: prepare → spawn → pump → settle → report. */
export class Runner {
  readonly #deps: RunnerDeps;

  constructor(deps: RunnerDeps) {
    this.#deps = deps;
  }

  /**
   * Starts a claimed run; resolves when its process runs or its failure is on the way. Never rejects: from the claim on
   * each run ends with exactly one result.
   */
  async start(run: HeldRun): Promise<void> {
    const { ports, onStarted, aborts } = this.#deps;
    try {
      const { process, output } = await this.#spawn(run);
      onStarted(run);
      if (run.abort !== undefined) aborts.terminate(run);
      void this.#follow(run, process, output);
    } catch (error) {
      const nowMs = ports.clock.nowMs();
      run.timeStart ??= nowMs / 1000;
      void this.#settle(run, this.#failureOutcome(run, error), nowMs);
    }
  }

  /** Goes on with a run that an earlier boot started. */
  resume(run: HeldRun, process: RunningProcess, output: OutputProtocol): void {
    this.#deps.onStarted(run);
    if (run.abort !== undefined) this.#deps.aborts.terminate(run);
    void this.#follow(run, process, output);
  }

  async #spawn(run: HeldRun): Promise<{ process: RunningProcess; output: OutputProtocol }> {
    const { ports, settings, environment } = this.#deps;
    const { clock, launcher, logs } = ports;
    const loss = await restoreEarlierLog(run, ports);
    run.log = await logs.open(run.ref.job);
    await this.#appendLog(run, `${loss}${logHeader(run.job, clock.nowMs(), settings.zone)}`);
    const prepared = await prepareRun(run, environment, settings, launcher);
    if (run.abort !== undefined) throw new CarillonError('job', run.abort.reason);
    // A retry goes on counting from the first start (behaviour reference 5.7).
    const planned = run.ref.attempt > 1 ? run.job.time_start : undefined;
    run.timeStart = planned ?? clock.nowMs() / 1000;
    const { process, output } = await this.#launch(run, prepared);
    run.process = process;
    run.output = output;
    return { process, output };
  }

  async #launch(
    run: HeldRun,
    prepared: PreparedRun,
  ): Promise<{ process: RunningProcess; output: OutputProtocol }> {
    const { detached, ports } = this.#deps;
    if (isDetachedJob(run.job)) return detached.launch(run, prepared);
    return { process: await ports.launcher.launch(prepared.spec), output: prepared.output };
  }

  async #follow(run: HeldRun, process: RunningProcess, output: OutputProtocol): Promise<void> {
    const { ports, aborts, onOutput } = this.#deps;
    const exit = await pumpRun(run, process, output, {
      clock: ports.clock,
      logger: ports.logger,
      aborts,
      onOutput,
    });
    const kind = isShellJob(run.job) ? 'shell' : isDetachedJob(run.job) ? 'detached' : 'plugin';
    const endMs = Math.max(exit.atMs ?? ports.clock.nowMs(), (run.timeStart ?? 0) * 1000);
    await this.#settle(run, outcomeOf({ kind, exit, output, pid: process.pid, abort: run.abort }), endMs);
  }

  /** From the end of the process to the end of the run. Never rejects. */
  async #settle(run: HeldRun, end: JobOutcome, endMs: number): Promise<void> {
    const { ports, runs, reporter, onLogEnded, onEnded } = this.#deps;
    await takeReport(run, ports);
    const { remarks } = run;
    const outcome = remarks.length === 0 ? end : { ...end, warning: remarks.join('\n') };
    run.isRetried = isRetried(run.job, outcome);
    try {
      const gap = run.lastLogByte === newlineByte ? '' : '\n';
      await this.#appendLog(run, `${gap}${logRemarks(remarks)}${this.#logEnd(run, outcome, endMs)}`);
      if (!run.logEnded) await run.log?.close();
      run.logEnded = true;
      await onLogEnded(run);
    } catch (error) {
      run.logEnded = true;
      ports.logger.log('error', 'The log of a run cannot be completed', { ...run.ref, error: String(error) });
    }
    const reported = await reporter.deliver(this.#resultOf(run, outcome, endMs), this.#expireSec(run));
    run.cancelKill?.();
    runs.delete(run);
    onEnded(run, reported);
    run.end();
  }

  #logEnd(run: HeldRun, outcome: JobOutcome, endMs: number): string {
    return run.isRetried
      ? retryNotice(run.job, outcome)
      : logFooter(outcome, endMs, this.#deps.settings.zone);
  }

  #resultOf(run: HeldRun, outcome: JobOutcome, endMs: number): JobResult {
    const { node } = this.#deps.settings;
    return {
      ...run.ref,
      node: node.id,
      hostname: node.hostname,
      time_start: run.timeStart ?? endMs / 1000,
      time_end: endMs / 1000,
      pid: run.pid,
      outcome,
      log_file_size: run.log?.size ?? 0,
      ...(run.cpu === undefined ? {} : { cpu: run.cpu }),
      ...(run.mem === undefined ? {} : { mem: run.mem }),
      reported: run.reported,
    };
  }

  #expireSec(run: HeldRun): number {
    const days = run.job['log_expire_days'];
    const own = typeof days === 'number' && days > 0 ? days : this.#deps.settings.expireDays;
    return own * secondsPerDay;
  }

  async #appendLog(run: HeldRun, text: string): Promise<void> {
    if (run.log === undefined || run.logEnded) return;
    run.lastLogByte = text.charCodeAt(text.length - 1);
    await run.log.write(text);
  }

  /** Why no process was started (behaviour reference 5.6, 6.7). */
  #failureOutcome(run: HeldRun, error: unknown): JobOutcome {
    if (run.abort !== undefined) return abortedRunOutcome(run.abort);
    if (error instanceof CarillonError) return { code: 1, description: error.message };
    if (error instanceof SpawnError) {
      const prefix = isShellJob(run.job) ? 'Script failed' : `Child spawn error: ${run.job.command}`;
      return { code: 1, description: `${prefix}: ${error.message}` };
    }
    const reason = error instanceof Error ? error.message : String(error);
    this.#deps.ports.logger.log('error', 'A run cannot be started', { ...run.ref, error: String(error) });
    return { code: 1, description: `Child spawn error: ${run.job.command}: ${reason}` };
  }
}
