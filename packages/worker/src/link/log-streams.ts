import type { WorkerMessage } from '@carillon/contract';
import { type Cancel, type Clock, type JobLog, type Logger, logPiece } from '@carillon/core';
import type { HeldRun } from '../run/held-run.js';
import type { RunTable } from '../run/run-table.js';

const pieceBytes = 65_536;
/** Most that is sent of one log before other work gets a turn. */
const burstBytes = 1_048_576;
const pauseMs = 40;

interface Stream {
  offset: number;
  /** A transfer is under way. */
  sending: boolean;
  /** The log has grown since the transfer looked. */
  grown: boolean;
  cancelPause: Cancel | undefined;
}

export interface LogStreamsDeps {
  clock: Clock;
  logger: Logger;
  logs: JobLog;
  runs: RunTable;
  send: (message: WorkerMessage) => void;
}

/**
 * Sends the logs of watched jobs: the first output after a pause at once, more of it in pieces every 40 ms. Text is cut
 * between characters. Costs nothing for jobs nobody watches.
 */
export class LogStreams {
  readonly #deps: LogStreamsDeps;
  readonly #streams = new Map<string, Stream>();

  constructor(deps: LogStreamsDeps) {
    this.#deps = deps;
  }

  /** Starts, or starts again, from a byte offset. A job this worker does not hold is ignored. */
  watch(job: string, offset: number): void {
    if (this.#deps.runs.ofJob(job) === undefined) return;
    this.unwatch(job);
    const stream = { offset: Math.max(0, offset), sending: false, grown: true, cancelPause: undefined };
    this.#streams.set(job, stream);
    this.#push(job, stream);
  }

  unwatch(job: string): void {
    this.#streams.get(job)?.cancelPause?.();
    this.#streams.delete(job);
  }

  /** The link is gone, and with it everybody who watched. */
  clear(): void {
    for (const job of [...this.#streams.keys()]) this.unwatch(job);
  }

  /** The log of a run has grown. */
  onOutput(run: HeldRun): void {
    const stream = this.#streams.get(run.ref.job);
    if (stream === undefined) return;
    stream.grown = true;
    this.#push(run.ref.job, stream);
  }

  /**
   * The log is closed: sends what is left; resolves before the file may go. The next attempt of a job that is retried
   * continues the log, whoever watches asks again then, from the offset reached.
   */
  async finish(run: HeldRun): Promise<void> {
    const job = run.ref.job;
    const stream = this.#streams.get(job);
    if (stream === undefined) return;
    this.unwatch(job);
    let more = true;
    while (more) more = await this.#sendBurst(job, stream, true);
  }

  #push(job: string, stream: Stream): void {
    if (stream.sending || stream.cancelPause !== undefined) return;
    stream.sending = true;
    stream.grown = false;
    this.#sendBurst(job, stream, false)
      .then((more) => {
        stream.sending = false;
        if (more) stream.grown = true;
        if (this.#streams.get(job) !== stream) return;
        stream.cancelPause = this.#deps.clock.after(pauseMs, () => {
          stream.cancelPause = undefined;
          if (stream.grown) this.#push(job, stream);
        });
      })
      .catch((error: unknown) => {
        stream.sending = false;
        this.#deps.logger.log('warn', 'The log of a running job cannot be read', {
          job,
          error: String(error),
        });
      });
  }

  /** True when there was more than one burst may carry. */
  async #sendBurst(job: string, stream: Stream, isEnd: boolean): Promise<boolean> {
    const { logs, runs, send } = this.#deps;
    const limit = stream.offset + burstBytes;
    while (stream.offset < limit) {
      const { offset } = stream;
      const bytes = await logs.read(job, offset, pieceBytes);
      if (!isEnd && this.#streams.get(job) !== stream) return false;
      // A transfer that was under way when the log was closed has sent this meanwhile.
      if (stream.offset !== offset) continue;
      const size = Math.max(runs.ofJob(job)?.log?.size ?? 0, offset + bytes.length);
      const isLast = isEnd && offset + bytes.length >= size;
      const { text, length } = logPiece(bytes, isLast);
      const end = isLast && runs.ofJob(job)?.isRetried !== true;
      if (length > 0 || isLast) send({ type: 'log', job, offset, text, size, end });
      stream.offset += length;
      if (isLast || bytes.length < pieceBytes) return false;
    }
    return true;
  }
}
