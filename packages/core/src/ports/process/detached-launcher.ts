import type { ProcessSpec, RunningProcess } from './process-launcher.js';

/** Bytes of each stream, counted from the start of the process. */
export interface OutputOffsets {
  stdout: number;
  stderr: number;
}

/** What is kept beside a detached process for whoever follows it next; the launcher does not look into it. */
export interface DetachedNotes {
  /** Which run this is. */
  run: string;
  /** How far its output has been taken in. */
  checkpoint: string;
}

/** A process that does not need this one: its output waits on the disk until somebody reads it. */
export interface DetachedProcess extends RunningProcess {
  /** Stops following it, for good: the streams end, `exited` stays pending, and the process goes on. */
  letGo(): void;
}

/** A detached process that some launcher of this directory started and nobody has removed yet. */
export interface DetachedEntry {
  /** Of its ProcessSpec. */
  name: string;
  notes: DetachedNotes;
}

/** Processes that outlive the worker that started them, its crash included. */
export interface DetachedLauncher {
  /**
   * Starts the program as leader of a new process group, with the notes kept beside it. When this process dies at any
   * moment in between, the program has not run and never will, or `list` has it. Throws SpawnError; a second
   * launch of a name that has not been removed is refused.
   */
  launch(spec: ProcessSpec, notes: DetachedNotes): Promise<DetachedProcess>;
  /** What earlier processes, and this one, have launched and not removed. */
  list(): Promise<DetachedEntry[]>;
  /**
   * Follows a process, also one that has ended meanwhile, with its output from the offsets on. Undefined when its
   * program never ran, or ran on a machine that has been restarted since. Never takes a stranger with the same
   * process id for it.
   */
  adopt(name: string, from: OutputOffsets): Promise<DetachedProcess | undefined>;
  /** Output from the start up to an offset; what is missing there is left out. */
  recorded(name: string, stream: keyof OutputOffsets, endBytes: number): AsyncIterable<Uint8Array>;
  /** Replaces one note; a crash leaves the old one or the new one. Nothing happens when the name is gone. */
  keepNote(name: string, kind: keyof DetachedNotes, text: string): Promise<void>;
  /** Removes what is kept of a process, not the process. Harmless when absent. */
  remove(name: string): Promise<void>;
}
