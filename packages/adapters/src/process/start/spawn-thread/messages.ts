import type { ProgramStart } from '../start-program.js';

export type StreamName = 'stdout' | 'stderr';

/** To the thread. `run` is a number of the launcher's own. */
export type ThreadOrder =
  /** `group`: the shared state of an OwnGroup. */
  | { kind: 'start'; run: number; start: ProgramStart; group: Int32Array<SharedArrayBuffer> }
  /** All of standard input. */
  | { kind: 'input'; run: number; text: string }
  /** The consumer has taken so many bytes. */
  | { kind: 'taken'; run: number; stream: StreamName; bytes: number }
  | { kind: 'stop'; run: number };

/** From the thread, several at a time. */
export type ThreadNews =
  | { kind: 'started'; run: number; pid: number }
  | { kind: 'refused'; run: number; code: string; message: string }
  | { kind: 'chunk'; run: number; stream: StreamName; bytes: Uint8Array }
  | { kind: 'end'; run: number; stream: StreamName }
  | { kind: 'exit'; run: number; code: number | null; signal: string | null };
