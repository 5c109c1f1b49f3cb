import type { Writable } from 'node:stream';
import { type Logger, type LogLevel, redactText } from '@carillon/core';
import { createLogger, format, transports } from 'winston';
import { redactFields } from './redact.js';

export interface WinstonLoggerOptions {
  /** Least important level that is written. */
  level: LogLevel;
  /** `json`: one object per line. `text`: for people. */
  style: 'json' | 'text';
  /** Defaults to standard output. */
  stream?: Writable;
  /** Wall clock, Unix milliseconds. */
  nowMs?: () => number;
  /** On every line. */
  fields?: Readonly<Record<string, unknown>>;
}

type Line = { timeMs: number; level: string; message: string; fields: Record<string, unknown> };

function asJson({ timeMs, level, message, fields }: Line): string {
  // The first three names belong to the line; a field of the same name would hide them.
  const { time: _time, level: _level, message: _message, ...others } = fields;
  return JSON.stringify({ time: new Date(timeMs).toISOString(), level, message, ...others });
}

const plainWord = /^[\w.:/@+-]+$/;

/** Everything from outside is quoted, so that no value can forge a line. */
function asText({ timeMs, level, message, fields }: Line): string {
  const words = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const text = typeof value === 'string' && plainWord.test(value) ? value : JSON.stringify(value);
      return `${plainWord.test(name) ? name : JSON.stringify(name)}=${text}`;
    });
  const safe = message.replace(/\p{Cc}/gu, ' ');
  return [new Date(timeMs).toISOString(), level.toUpperCase().padEnd(5), safe, ...words].join(' ');
}

/**
 * Structured log over winston: JSON lines or readable text. Credentials are redacted by field name. Never throws: a
 * line that cannot be written is dropped.
 */
export class WinstonLogger implements Logger {
  readonly #write: (level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(options: WinstonLoggerOptions | { parent: WinstonLogger; fields: Record<string, unknown> }) {
    if ('parent' in options) {
      this.#write = options.parent.#write;
      this.#fields = { ...options.parent.#fields, ...options.fields };
    } else {
      this.#write = createWriter(options);
      this.#fields = options.fields ?? {};
    }
  }

  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void {
    try {
      this.#write(level, message, fields === undefined ? this.#fields : { ...this.#fields, ...fields });
    } catch {
      // A getter of a field threw, or the stream is gone. Logging must not end anything.
    }
  }

  child(fields: Readonly<Record<string, unknown>>): Logger {
    return new WinstonLogger({ parent: this, fields });
  }
}

const levels: Record<LogLevel, number> = { error: 0, warn: 1, info: 2, debug: 3 };

function createWriter(
  options: WinstonLoggerOptions,
): (level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>) => void {
  const stream = options.stream ?? process.stdout;
  const nowMs = options.nowMs ?? Date.now;
  const render = options.style === 'json' ? asJson : asText;
  const ignore = (): void => undefined;
  // A closed pipe at the other end of the log must not end the node.
  stream.on('error', ignore);
  const logger = createLogger({
    levels,
    level: options.level,
    exitOnError: false,
    transports: [
      new transports.Stream({ stream, eol: '\n', format: format.printf((info) => String(info['line'])) }),
    ],
  });
  logger.on('error', ignore);
  return (level, message, fields) => {
    if (levels[level] > levels[options.level]) return;
    const line = render({
      timeMs: nowMs(),
      level,
      message: redactText(message),
      fields: redactFields(fields),
    });
    logger.log({ level, message: '', line });
  };
}
