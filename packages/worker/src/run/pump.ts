import type { Clock, Logger, OutputProtocol, ProcessExit, RunningProcess } from '@carillon/core';
import type { AbortService } from './abort.js';
import type { HeldRun } from './held-run.js';

/** After the exit of a process: silence that means nothing more will come. */
const quietMs = 100;
/** Gap between two looks, in which the event loop hands over whatever is there to be read. */
const lookAgainMs = 5;
/** After the exit of a process: longest wait for late output (behaviour reference 6.4). */
const lateOutputMs = 1000;
/** Looks that no process outlasts with what it wrote before its exit: a pipe holds less than a look can read. */
const lateLooks = 20;

export interface PumpDeps {
  clock: Clock;
  logger: Logger;
  aborts: AbortService;
  /** The log has grown, or progress was reported. */
  onOutput: (run: HeldRun) => void;
}

/**
 * Moves a process's output into its protocol and log until it has ended, and answers how it did. A background
 * child that keeps the pipes open does not delay the end: output is read until it pauses, for at most a second
 * after the exit. Never rejects.
 */
export async function pumpRun(
  run: HeldRun,
  process: RunningProcess,
  output: OutputProtocol,
  deps: PumpDeps,
): Promise<ProcessExit> {
  const { clock } = deps;
  const log = new LogTail(run, deps.logger);
  const activity: Activity = { chunks: 0, busy: 0 };
  const drain = async (
    chunks: AsyncIterable<Uint8Array>,
    read: (chunk: Uint8Array, nowMs: number) => Uint8Array[],
  ): Promise<void> => {
    for await (const chunk of chunks) {
      activity.chunks += 1;
      const room = log.append(read(chunk, clock.nowMs()));
      deps.onOutput(run);
      if (room === undefined) continue;
      // Waiting stops the reading, and so in the end the process, while the disk is slower than its output.
      activity.busy += 1;
      await room;
      activity.busy -= 1;
    }
  };
  const drained = Promise.all([
    drain(process.stdout, (chunk, nowMs) => output.stdout(chunk, nowMs)),
    drain(process.stderr, (chunk, nowMs) => output.stderr(chunk, nowMs)),
  ]).catch((error: unknown) => {
    deps.logger.log('error', 'The output of a run cannot be read', { ...run.ref, error: String(error) });
  });
  const exit = await process.exited;
  if (run.abort !== undefined) await deps.aborts.sweep(run);
  await quietOrDrained(clock, drained, activity);
  process.stopReading();
  await drained;
  await log.append(output.end(clock.nowMs()));
  deps.onOutput(run);
  return exit;
}

/** What has been read so far. */
interface Activity {
  chunks: number;
  /** Pieces on their way into the log. */
  busy: number;
}

/**
 * Resolves when the streams are over, or silent for a while, or the time for late output is over. A late timer proves
 * nothing: this process itself may have been busy. So silence counts only when it is confirmed by a second look, since
 * the event loop reads what is there between any two timers.
 */
function quietOrDrained(clock: Clock, drained: Promise<unknown>, activity: Activity): Promise<void> {
  const untilMs = clock.monotonicMs() + lateOutputMs;
  return new Promise((resolve) => {
    let looks = 0;
    let seen = activity.chunks;
    let silentLooks = 0;
    let cancel = clock.after(quietMs, function look() {
      looks += 1;
      const isSilent = activity.busy === 0 && activity.chunks === seen;
      silentLooks = isSilent ? silentLooks + 1 : 0;
      seen = activity.chunks;
      // A slow disk gets more time, but not for ever: a background child may write as fast as the disk takes it.
      const isLate =
        looks >= (activity.busy === 0 ? lateLooks : lateLooks * 10) && clock.monotonicMs() >= untilMs;
      if (silentLooks >= 2 || isLate) resolve();
      else cancel = clock.after(silentLooks > 0 ? lookAgainMs : quietMs / 2, look);
    });
    void drained.then(() => {
      cancel();
      resolve();
    });
  });
}

/** Appends to a run's log. A log that cannot be written (a full disk) is given up, not the run. */
class LogTail {
  readonly #run: HeldRun;
  readonly #logger: Logger;

  constructor(run: HeldRun, logger: Logger) {
    this.#run = run;
    this.#logger = logger;
  }

  /** A promise to wait for before the next piece, or nothing when there was nothing to write. */
  append(pieces: readonly Uint8Array[]): Promise<void> | undefined {
    const { log, logEnded, logFull } = this.#run;
    let last: Promise<void> | undefined;
    if (log === undefined || logEnded || logFull) return undefined;
    for (const piece of pieces) {
      if (piece.length === 0) continue;
      this.#run.lastLogByte = piece[piece.length - 1] ?? 0;
      last = log.write(piece).catch((error: unknown) => this.#giveUp(error));
    }
    return last;
  }

  #giveUp(error: unknown): void {
    if (this.#run.logEnded) return;
    this.#run.logEnded = true;
    const reason = error instanceof Error ? error.message : String(error);
    this.#run.remarks.push(`The log of this job is not whole, it could not be written: ${reason}`);
    this.#logger.log('error', 'The log of a run cannot be written', {
      ...this.#run.ref,
      error: String(error),
    });
    this.#run.log?.close().catch(() => undefined);
  }
}
