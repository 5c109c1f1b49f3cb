import { type RunRef, runId } from '@carillon/contract';
import type {
  Cancel,
  Clock,
  DetachedEntry,
  DetachedLauncher,
  DetachedProcess,
  JobLog,
  Logger,
  OutputOffsets,
  OutputProtocol,
  ResultSpool,
} from '@carillon/core';
import { HeldRun } from '../run/held-run.js';
import { type PreparedRun, protocolOf } from '../run/prepare.js';
import type { RunTable } from '../run/run-table.js';
import { CountedOutput } from './counted-output.js';
import {
  type Checkpoint,
  checkpointNote,
  readCheckpoint,
  readRunNote,
  type RunNote,
  runNote,
} from './notes.js';

const checkpointEveryMs = 1000;

/** A run whose process is being followed. */
interface Followed {
  process: DetachedProcess;
  output: CountedOutput;
  /** Pending checkpoint. */
  cancel: Cancel | undefined;
  /** The last checkpoint is written. */
  written: Promise<void>;
}

export interface DetachedRunsDeps {
  clock: Clock;
  logger: Logger;
  logs: JobLog;
  detached: DetachedLauncher;
  spool: ResultSpool;
  runs: RunTable;
  /** For times in logs. */
  zone: string;
  /** Takes a run that an earlier boot started to its end. */
  resume: (run: HeldRun, process: DetachedProcess, output: OutputProtocol) => void;
}

/**
 * Runs in detached mode (behaviour reference 6.6): their processes outlive this worker, and a later boot goes on with
 * them where this one left off. For that each has notes on the disk: what it is, and a checkpoint that ties the
 * bytes read to the size of the log.
 */
export class DetachedRuns {
  readonly #deps: DetachedRunsDeps;
  /** Until their process has ended. */
  readonly #followed = new Map<HeldRun, Followed>();
  /** Something is kept of them on the disk. */
  readonly #kept = new Set<string>();
  #isLeaving = false;

  constructor(deps: DetachedRunsDeps) {
    this.#deps = deps;
  }

  /** Starts the process of a run, whose log and time of start are set. Throws SpawnError. */
  async launch(
    run: HeldRun,
    prepared: PreparedRun,
  ): Promise<{ process: DetachedProcess; output: OutputProtocol }> {
    const { detached } = this.#deps;
    const { job } = run;
    await run.log?.flushed();
    const output = new CountedOutput(prepared.output, { stdout: 0, stderr: 0 });
    const process = await detached.launch(prepared.spec, {
      run: runNote(run),
      checkpoint: checkpointNote(run, output.offsets),
    });
    this.#follow(run, process, output);
    if (run.job !== job || run.abort !== undefined) this.onChanged(run);
    return { process, output };
  }

  /**
   * Takes over what earlier boots launched: rebuilds what was reported, cuts the log to the last checkpoint and goes
   * on from there, also with processes that have ended meanwhile. Never rejects; a run that cannot be taken over is
   * not held, and so the primary ends it.
   */
  async adoptAll(): Promise<void> {
    const { detached, spool, logger } = this.#deps;
    try {
      const settled = new Set((await spool.list()).map(runId));
      for (const entry of await detached.list()) {
        if (this.#isLeaving) return;
        // Of a settled run the result is safe; only this was not removed any more.
        if (settled.has(entry.name) || !(await this.#adopt(entry))) await detached.remove(entry.name);
      }
    } catch (error) {
      logger.log('error', 'Detached runs cannot be taken over', { error: String(error) });
    }
  }

  /** The log has grown, or something was reported. */
  onOutput(run: HeldRun): void {
    const followed = this.#followed.get(run);
    if (followed === undefined || followed.cancel !== undefined) return;
    followed.cancel = this.#deps.clock.after(checkpointEveryMs, () => {
      followed.cancel = undefined;
      void this.#checkpoint(run, followed);
    });
  }

  /** The settings of a run have changed, or it is to be aborted: a later boot must know. */
  onChanged(run: HeldRun): void {
    if (!this.#followed.has(run)) return;
    this.#deps.detached
      .keepNote(run.id, 'run', runNote(run))
      .catch((error: unknown) => this.#warn(run, error));
  }

  /** The result of a run is safe elsewhere: nothing need be kept of it. */
  async remove(ref: RunRef): Promise<void> {
    const id = runId(ref);
    if (!this.#kept.delete(id)) return;
    await this.#deps.detached.remove(id).catch((error: unknown) => this.#warn({ ref }, error));
  }

  /** True for a run that this worker need not wait for. One that is being aborted is seen through to its end. */
  mayLeave(run: HeldRun): boolean {
    return this.#followed.has(run) && run.abort === undefined;
  }

  /** Lets go of all runs that may be left, with a last checkpoint; answers which. None is taken over afterwards. */
  async leave(): Promise<HeldRun[]> {
    this.#isLeaving = true;
    const left = [...this.#followed].filter(([run]) => this.mayLeave(run));
    for (const [run, followed] of left) {
      this.#unfollow(run);
      followed.process.letGo();
      const checkpoint = this.#checkpoint(run, followed);
      // Whatever is still under way belongs behind the checkpoint.
      run.logEnded = true;
      await checkpoint;
      await run.log?.close().catch((error: unknown) => this.#warn(run, error));
    }
    return left.map(([run]) => run);
  }

  #follow(run: HeldRun, process: DetachedProcess, output: CountedOutput): void {
    this.#kept.add(run.id);
    this.#followed.set(run, { process, output, cancel: undefined, written: Promise.resolve() });
    void process.exited.then(() => this.#unfollow(run));
  }

  #unfollow(run: HeldRun): void {
    this.#followed.get(run)?.cancel?.();
    this.#followed.delete(run);
  }

  /** False when there is nothing to go on with, and never will be. */
  async #adopt(entry: DetachedEntry): Promise<boolean> {
    const { detached, logger } = this.#deps;
    const note = readRunNote(entry.notes.run);
    const checkpoint = readCheckpoint(entry.notes.checkpoint);
    if (note === undefined || checkpoint === undefined || runId(note.ref) !== entry.name) {
      logger.log('error', 'The notes of a detached run have no sense', { file: entry.name });
      return false;
    }
    const process = await detached.adopt(entry.name, checkpoint);
    if (process === undefined) {
      logger.log('warn', 'A detached run of an earlier boot has no process', { ...note.ref });
      return false;
    }
    try {
      await this.#goOn(note, checkpoint, process);
    } catch (error) {
      process.letGo();
      logger.log('error', 'A detached run cannot be taken over', { ...note.ref, error: String(error) });
    }
    return true;
  }

  async #goOn(note: RunNote, checkpoint: Checkpoint, process: DetachedProcess): Promise<void> {
    const { logs, runs, logger, zone, resume } = this.#deps;
    const run = new HeldRun(note.ref, note.job);
    run.timeStart = note.timeStart;
    run.abort = note.abort;
    run.cpu = checkpoint.cpu;
    run.mem = checkpoint.mem;
    const protocol = protocolOf(run.job, zone);
    await this.#replay(run.id, protocol, checkpoint);
    run.log = await logs.open(run.ref.job, checkpoint.logBytes);
    const [lastByte] = await logs.read(run.ref.job, Math.max(0, run.log.size - 1), 1);
    run.lastLogByte = lastByte ?? 0;
    if (this.#isLeaving) {
      process.letGo();
      await run.log.close();
      return;
    }
    const output = new CountedOutput(protocol, checkpoint);
    run.process = process;
    run.output = output;
    runs.add(run);
    this.#follow(run, process, output);
    logger.log('info', 'A detached run of an earlier boot goes on', { ...run.ref, pid: process.pid });
    resume(run, process, output);
  }

  /** What was read before is in the log already: only what it meant is of interest. */
  async #replay(name: string, output: OutputProtocol, end: OutputOffsets): Promise<void> {
    const { detached, clock } = this.#deps;
    for await (const chunk of detached.recorded(name, 'stdout', end.stdout))
      output.stdout(chunk, clock.nowMs());
    for await (const chunk of detached.recorded(name, 'stderr', end.stderr))
      output.stderr(chunk, clock.nowMs());
  }

  #checkpoint(run: HeldRun, followed: Followed): Promise<void> {
    const text = checkpointNote(run, followed.output.offsets);
    followed.written = followed.written
      .then(() => run.log?.flushed())
      .then(() => this.#deps.detached.keepNote(run.id, 'checkpoint', text))
      .catch((error: unknown) => this.#warn(run, error));
    return followed.written;
  }

  #warn({ ref }: { ref: RunRef }, error: unknown): void {
    this.#deps.logger.log('warn', 'The notes of a detached run cannot be kept', {
      ...ref,
      error: String(error),
    });
  }
}
