import type { RunningProcess } from '@carillon/core';
import { NodeProcessLauncher, type NodeProcessLauncherOptions } from '../node-process-launcher.js';
import type { ProgramStart } from '../start-program.js';
import type { SpawnThread } from './spawn-thread.js';

export interface ThreadProcessLauncherOptions extends NodeProcessLauncherOptions {
  /** Stays the caller's; any number of launchers may share it. */
  thread: SpawnThread;
}

/** Starts processes as NodeProcessLauncher does, but from a thread that does nothing else. */
export class ThreadProcessLauncher extends NodeProcessLauncher {
  readonly #thread: SpawnThread;

  constructor({ thread, ...options }: ThreadProcessLauncherOptions) {
    super(options);
    this.#thread = thread;
  }

  protected override start(start: ProgramStart, stdin: (pid: number) => string): Promise<RunningProcess> {
    return this.#thread.start(start, stdin);
  }
}
