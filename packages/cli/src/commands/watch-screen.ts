import type { Job, WatchHandlers } from '@carillon/client';
import type { CommandIo } from '../command-io.js';
import { progressLine } from '../format/job-text.js';

const clearLine = '\r\u001b[K';

/**
 * Shows watched jobs: their logs on standard output as they come, and on a terminal a line with the progress of the
 * job heard of last, which makes way for each piece of log.
 */
export class WatchScreen {
  readonly #io: CommandIo;
  readonly #quiet: boolean;
  readonly #prefixed: boolean;
  readonly #unfinished = new Map<string, string>();
  readonly #ended = new Set<string>();
  #drawn = '';
  /** The log's last line is not at its end: nothing else may be written there. */
  #insideLine = false;

  /** `quiet`: no log and no progress. `prefixed`: whole lines only, each after its job's id. */
  constructor(io: CommandIo, options: { quiet: boolean; prefixed: boolean }) {
    this.#io = io;
    this.#quiet = options.quiet;
    this.#prefixed = options.prefixed;
  }

  handlersFor(id: string): WatchHandlers {
    if (this.#quiet) return {};
    return {
      onLog: (text) => this.#writeLog(id, text),
      onJob: (job) => this.#draw(job),
    };
  }

  /** The last line about a job. */
  finish(job: Job, line: string): void {
    this.#ended.add(job.id);
    if (this.#quiet) return;
    const rest = this.#unfinished.get(job.id);
    if (rest !== undefined && rest !== '') this.#writeLog(job.id, '\n');
    this.#clear();
    if (this.#insideLine) this.#io.stdout.write('\n');
    this.#insideLine = false;
    this.#io.stderr.write(`${line}\n`);
  }

  /** Leaves the terminal clean. */
  close(): void {
    this.#clear();
  }

  #writeLog(id: string, text: string): void {
    const shown = this.#prefixed ? this.#prefix(id, text) : text;
    if (shown === '') return;
    this.#clear();
    this.#io.stdout.write(shown);
    this.#insideLine = !shown.endsWith('\n');
  }

  #prefix(id: string, text: string): string {
    const lines = `${this.#unfinished.get(id) ?? ''}${text}`.split('\n');
    this.#unfinished.set(id, lines.pop() ?? '');
    return lines.map((line) => `${id}: ${line}\n`).join('');
  }

  #draw(job: Job): void {
    if (!this.#io.isTTY || this.#insideLine || this.#ended.has(job.id) || job.complete !== undefined) return;
    const line = progressLine(job, this.#io.columns ?? 80);
    if (line === this.#drawn) return;
    this.#io.stderr.write(`${clearLine}${line}`);
    this.#drawn = line;
  }

  #clear(): void {
    if (this.#drawn !== '') this.#io.stderr.write(clearLine);
    this.#drawn = '';
  }
}
