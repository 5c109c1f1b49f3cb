import { LineSplitter } from './line-splitter.js';
import { applyMessage, isPluginMessage, type PluginReport } from './reported.js';

/**
 * Reads what a process writes: answers the bytes that belong in the log, in order, and keeps what was reported.
 * The result does not depend on how the output is cut into chunks.
 */
export interface OutputProtocol {
  readonly report: PluginReport;
  /** First line of standard error, where the protocol quotes it in failures. */
  readonly firstErrorLine: string | undefined;
  /** `nowMs`: wall clock, Unix milliseconds. */
  stdout(chunk: Uint8Array, nowMs: number): Uint8Array[];
  stderr(chunk: Uint8Array, nowMs: number): Uint8Array[];
  /** Both streams are over. */
  end(nowMs: number): Uint8Array[];
}

export const openBrace = 123;
const decoder = new TextDecoder();

/** Deepest nesting of a message: far beyond any report, and safe to serialise wherever the report travels. */
const deepestMessage = 100;

/**
 * The message in a line, when the line is a JSON object with content (behaviour reference 6.3: `{}` is text).
 * Undefined for everything else, also for objects nested too deeply. Never throws.
 */
export function readMessageLine(text: string): Record<string, unknown> | undefined {
  if (!/^\s*\{[^\n]+\}\s*$/.test(text)) return undefined;
  try {
    const value: Record<string, unknown> = JSON.parse(text);
    return isWithin(value, deepestMessage) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** True when a value is nested at most `levels` deep. */
function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((item) => isWithin(item, levels - 1));
}

/** Counts a line that was too long, if it may have been a message. */
export function countOverlong(report: PluginReport, first: number): void {
  if (first === openBrace) report.overlongLines = (report.overlongLines ?? 0) + 1;
}

/** Bytes of a line as text; what is not UTF-8 shows as replacement characters. */
export const lineText = (bytes: Uint8Array): string => decoder.decode(bytes);

/**
 * Protocol of plugins (behaviour reference 6.3): lines that are JSON objects are messages, everything else goes to
 * the log. An object without a single known key is taken for log output, too: programs that log in JSON
 * keep their lines.
 */
export class PluginProtocol implements OutputProtocol {
  readonly report: PluginReport = { reported: {} };
  readonly firstErrorLine = undefined;
  #log: Uint8Array[] = [];
  readonly #lines: LineSplitter;

  constructor() {
    const sink = {
      text: (bytes: Uint8Array) => void this.#log.push(bytes),
      line: (bytes: Uint8Array) => this.#onLine(bytes),
      overlong: (first: number) => countOverlong(this.report, first),
    };
    this.#lines = new LineSplitter(sink, { isHeld: (byte) => byte === openBrace });
  }

  stdout(chunk: Uint8Array): Uint8Array[] {
    this.#lines.feed(chunk);
    return this.#takeLog();
  }

  stderr(chunk: Uint8Array): Uint8Array[] {
    return [chunk];
  }

  end(): Uint8Array[] {
    this.#lines.end();
    return this.#takeLog();
  }

  #onLine(bytes: Uint8Array): void {
    const message = readMessageLine(lineText(bytes));
    if (message === undefined || !isPluginMessage(message)) this.#log.push(bytes);
    else applyMessage(this.report, message);
  }

  #takeLog(): Uint8Array[] {
    const log = this.#log;
    this.#log = [];
    return log;
  }
}
