export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** Structured log. Never throws, never blocks. Field values must not be credentials. */
export interface Logger {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** A logger that adds the given fields to every line. */
  child(fields: Readonly<Record<string, unknown>>): Logger;
}
