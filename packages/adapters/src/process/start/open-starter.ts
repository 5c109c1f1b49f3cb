import type { Logger } from '@carillon/core';
import type { SignalSource } from './posix-spawn/exit-watch.js';
import { openLibc } from './posix-spawn/libc.js';
import { PosixSpawner } from './posix-spawn/posix-spawner.js';
import type { ProgramStarter } from './program-starter.js';
import { SpawnThread } from './spawn-thread/spawn-thread.js';

export interface StarterOptions {
  /** Path of the program of a SpawnThread. */
  threadProgram: string;
  log: Logger;
  /** Default: those of this process. */
  signals?: SignalSource;
}

/** The cheapest way this machine has to start programs without blocking this thread. */
export async function openStarter(options: StarterOptions): Promise<ProgramStarter> {
  const { threadProgram, log, signals = process } = options;
  const thread = new SpawnThread(threadProgram);
  try {
    return new PosixSpawner({ libc: await openLibc(), otherwise: thread, signals });
  } catch (error) {
    log.log('info', 'Processes are started by a thread that forks; posix_spawn would be faster', {
      error: String(error),
    });
    return thread;
  }
}
