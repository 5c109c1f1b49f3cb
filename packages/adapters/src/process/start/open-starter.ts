import type { SignalSource } from './posix-spawn/exit-watch.js';
import { openLibc } from './posix-spawn/libc.js';
import { PosixSpawner } from './posix-spawn/posix-spawner.js';
import type { ProgramStarter } from './program-starter.js';
import { SpawnThread } from './spawn-thread/spawn-thread.js';

export interface StarterOptions {
  /** Path of the program of a SpawnThread. */
  threadProgram: string;
  /** Default: those of this process. */
  signals?: SignalSource;
}

/** The cheapest way this machine has to start programs without blocking this thread. */
export async function openStarter({
  threadProgram,
  signals = process,
}: StarterOptions): Promise<ProgramStarter> {
  const thread = new SpawnThread(threadProgram);
  const libc = await openLibc();
  return libc === undefined ? thread : new PosixSpawner({ libc, otherwise: thread, signals });
}
