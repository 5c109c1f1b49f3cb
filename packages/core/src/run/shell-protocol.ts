import { LineSplitter } from './line-splitter.js';
import { localTime } from './local-time.js';
import {
  countOverlong,
  lineText,
  openBrace,
  type OutputProtocol,
  readMessageLine,
} from './plugin-protocol.js';
import { applyMessage, isPluginMessage, type PluginReport } from './reported.js';

export interface ShellOptions {
  /** Put the local time before each line of standard output. */
  annotate: boolean;
  /** Treat JSON lines as plugin messages. */
  json: boolean;
  /** For the times: an IANA name or `system`. */
  zone: string;
}

/** Bytes of standard error kept for the report. */
const errorBytesMax = 32_768;
const longestQuotedLine = 255;
const encoder = new TextEncoder();

/** Reads the switches of the shell plugin from a job's parameters (behaviour reference 6.7). */
export function shellOptions(params: Readonly<Record<string, unknown>>, zone: string): ShellOptions {
  return { annotate: isOn(params, 'annotate'), json: isOn(params, 'json'), zone };
}

function isOn(params: Readonly<Record<string, unknown>>, name: string): boolean {
  const value = Object.hasOwn(params, name) ? params[name] : undefined;
  return Boolean(value) && value !== '0' && value !== 'false';
}

/**
 * Protocol of shell scripts (behaviour reference 6.7): `N%` lines are progress and are not logged, JSON lines are
 * messages if asked for, all else is logged, with times if asked for. The start of standard error becomes
 * the `html` report unless the script sent one.
 */
export class ShellProtocol implements OutputProtocol {
  readonly report: PluginReport = { reported: {} };
  readonly #options: ShellOptions;
  readonly #lines: LineSplitter;
  readonly #errors: Uint8Array[] = [];
  #errorBytes = 0;
  #log: Uint8Array[] = [];
  #nowMs = 0;

  constructor(options: ShellOptions) {
    this.#options = options;
    const sink = {
      text: (bytes: Uint8Array, startsLine: boolean) => this.#logText(bytes, startsLine),
      line: (bytes: Uint8Array) => this.#onLine(bytes),
      overlong: (first: number) => countOverlong(this.report, first),
    };
    const isHeld = options.json
      ? (byte: number) => isDigit(byte) || byte === openBrace
      : (byte: number) => isDigit(byte);
    this.#lines = new LineSplitter(sink, { isHeld, eachLine: options.annotate });
  }

  get firstErrorLine(): string | undefined {
    const line = this.#errorOutput().split('\n', 1)[0]?.trimEnd() ?? '';
    return line === '' || line.length > longestQuotedLine ? undefined : line;
  }

  stdout(chunk: Uint8Array, nowMs: number): Uint8Array[] {
    this.#nowMs = nowMs;
    this.#lines.feed(chunk);
    return this.#takeLog();
  }

  stderr(chunk: Uint8Array): Uint8Array[] {
    if (this.#errorBytes < errorBytesMax) {
      // Copied: a range would keep the whole chunk in memory for as long as the script runs.
      const kept = chunk.slice(0, errorBytesMax - this.#errorBytes);
      this.#errors.push(kept);
      this.#errorBytes += kept.length;
    }
    return [chunk];
  }

  end(nowMs: number): Uint8Array[] {
    this.#nowMs = nowMs;
    this.#lines.end();
    const errors = this.#errorOutput();
    if (errors !== '' && !Object.hasOwn(this.report.reported, 'html')) {
      this.report.reported['html'] = { title: 'Error Output', content: `<pre>${escapeHtml(errors)}</pre>` };
    }
    return this.#takeLog();
  }

  #onLine(bytes: Uint8Array): void {
    const text = lineText(bytes);
    const percent = /^\s*(\d+)%\s*$/.exec(text)?.[1];
    if (percent !== undefined) {
      applyMessage(this.report, { progress: Math.min(100, Number(percent)) / 100 });
      return;
    }
    const message = this.#options.json ? readMessageLine(text) : undefined;
    if (message !== undefined && isPluginMessage(message)) applyMessage(this.report, message);
    else this.#logText(bytes, true);
  }

  #logText(bytes: Uint8Array, startsLine: boolean): void {
    if (startsLine && this.#options.annotate) {
      this.#log.push(encoder.encode(`[${localTime(this.#nowMs, this.#options.zone)}] `));
    }
    this.#log.push(bytes);
  }

  #takeLog(): Uint8Array[] {
    const log = this.#log;
    this.#log = [];
    return log;
  }

  /** The start of standard error as text, trimmed; '' when there is nothing visible. */
  #errorOutput(): string {
    if (this.#errors.length === 0) return '';
    const decoder = new TextDecoder();
    const pieces = this.#errors.map((bytes) => decoder.decode(bytes, { stream: true }));
    return pieces.join('').trim();
  }
}

const isDigit = (byte: number): boolean => byte >= 48 && byte <= 57;

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
