/** Where text goes. */
export interface TextSink {
  write(text: string): unknown;
}

/** The surroundings of a command: everything it may touch beside the cluster. */
export interface CommandIo {
  /** Results. */
  stdout: TextSink;
  /** Messages for people, progress, errors. */
  stderr: TextSink;
  env: Readonly<Record<string, string | undefined>>;
  /** True when a person watches a terminal: progress is drawn, tables are fitted to its width. */
  isTTY: boolean;
  /** Width of the terminal in characters. */
  columns?: number;
  /** Directory that relative paths start from; the process's own by default. */
  cwd?: string;
  /** IANA time zone for dates; the system's own by default. */
  timeZone?: string;
  /** Shown by `--version`. */
  version?: string;
  /** Asks for a password without showing it. Rejects when there is none. */
  readSecret?: (prompt: string) => Promise<string>;
  /** Aborted when the person gives up (Ctrl-C): what is being waited for is left alone, nothing is undone. */
  signal?: AbortSignal;
}
