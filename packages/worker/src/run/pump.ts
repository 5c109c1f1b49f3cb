import type { Clock, Logger, OutputProtocol, ProcessExit, RunningProcess } from '@carillon/core';
import type { AbortService } from './abort.js';
import type { HeldRun } from './held-run.js';

/** After the exit of a process: silence that means nothing more will come. */
const quietMs = 100;
/** After the exit of a process: longest wait for late output (behaviour reference 6.4). */
const lateOutputMs = 1000;

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
  let lastOutputMs = clock.monotonicMs();
  const drain = async (
    chunks: AsyncIterable<Uint8Array>,
    read: (chunk: Uint8Array, nowMs: number) => Uint8Array[],
  ): Promise<void> => {
    for await (const chunk of chunks) {
      lastOutputMs = clock.monotonicMs();
      const room = log.append(read(chunk, clock.nowMs()));
      deps.onOutput(run);
      // Waiting stops the reading, and so in the end the process, while the disk is slower than its output.
      if (room !== undefined) await room;
    }
  };
  const drained = Promise.all([
    drain(process.stdout, (chunk, nowMs) => output.stdout(chunk, nowMs)),
    drain(process.stderr, (chunk, nowMs) => output.stderr(chunk, nowMs)),
  ]).catch((error: unknown) => {
    deps.logger.log('error', 'The output of a run cannot be read', { ...run.ref, error: String(error) });
  });
  const exit = await process.exited;
  if (run.abortReason !== undefined) await deps.aborts.sweep(run);
  await quietOrDrained(clock, drained, () => lastOutputMs);
  process.stopReading();
  await drained;
  await log.append(output.end(clock.nowMs()));
  deps.onOutput(run);
  return exit;
}

/** Resolves when the streams are over, or silent for a while, or the time for late output is over. */
function quietOrDrained(clock: Clock, drained: Promise<unknown>, lastOutputMs: () => number): Promise<void> {
  const untilMs = clock.monotonicMs() + lateOutputMs;
  return new Promise((resolve) => {
    let cancel = clock.after(quietMs, function look() {
      const nowMs = clock.monotonicMs();
      const restMs = Math.min(lastOutputMs() + quietMs, untilMs) - nowMs;
      if (restMs <= 0) resolve();
      else cancel = clock.after(restMs, look);
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
    const { log, logEnded } = this.#run;
    let last: Promise<void> | undefined;
    for (const piece of pieces) {
      if (log === undefined || logEnded || piece.length === 0) continue;
      this.#run.lastLogByte = piece[piece.length - 1] ?? 0;
      last = log.write(piece).catch((error: unknown) => this.#giveUp(error));
    }
    return last;
  }

  #giveUp(error: unknown): void {
    if (this.#run.logEnded) return;
    this.#run.logEnded = true;
    this.#logger.log('error', 'The log of a run cannot be written', {
      ...this.#run.ref,
      error: String(error),
    });
    this.#run.log?.close().catch(() => undefined);
  }
}
