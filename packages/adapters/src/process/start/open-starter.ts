import type { SignalSource } from './posix-spawn/exit-watch.js';
import { openLibc } from './posix-spawn/libc.js';
import { PosixSpawner } from './posix-spawn/posix-spawner.js';
import type { ProgramStarter } from './program-starter.js';
import { SpawnThread } from './spawn-thread/spawn-thread.js';

/** The cheapest way this machine has to start programs without blocking this thread. `signals`: those of this process. */
export async function openStarter(signals: SignalSource = process): Promise<ProgramStarter> {
  const thread = new SpawnThread();
  const libc = await openLibc();
  return libc === undefined ? thread : new PosixSpawner({ libc, otherwise: thread, signals });
}
