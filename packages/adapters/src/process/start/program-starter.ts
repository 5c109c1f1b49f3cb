import type { RunningProcess } from '@carillon/core';
import type { ProgramStart } from './start-program.js';

/** A way to start programs. */
export interface ProgramStarter {
  /**
   * Starts a program as leader of a new session, writes what `stdin` makes of its pid to its input, and removes its
   * script after its exit. Rejects with the system's error.
   */
  start(start: ProgramStart, stdin: (pid: number) => string): Promise<RunningProcess>;
  /** For when no process runs any more: none would be seen to end. */
  close(): Promise<void>;
}
