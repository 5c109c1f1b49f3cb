import { type Logger, type LogLevel, redactText } from '@carillon/core';
import { redactFields } from './redact.js';

export interface LogLine {
  level: LogLevel;
  message: string;
  fields: Record<string, unknown>;
}

/** Keeps lines in memory, redacted as they would be written; children add to the same list. */
export class MemoryLogger implements Logger {
  readonly lines: LogLine[];
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(lines: LogLine[] = [], fields: Readonly<Record<string, unknown>> = {}) {
    this.lines = lines;
    this.#fields = fields;
  }

  log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.lines.push({
      level,
      message: redactText(message),
      fields: redactFields({ ...this.#fields, ...fields }),
    });
  }

  child(fields: Readonly<Record<string, unknown>>): Logger {
    return new MemoryLogger(this.lines, { ...this.#fields, ...fields });
  }
}
