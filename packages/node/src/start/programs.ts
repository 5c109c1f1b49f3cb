import { fileURLToPath } from 'node:url';
import { builtinPrograms } from '@carillon/plugins';

/** Beside each other in the bundle, which is where this path leads from the sources, and from the bundle itself. */
const file = (name: string): string => fileURLToPath(new URL(`../../dist/bundle/${name}`, import.meta.url));

/** Absolute paths of what a node runs as processes and threads of their own (decision 22). */
export const programs = {
  /** A worker, forked by a `WorkerSupervisor`. */
  worker: file('worker-process.js'),
  /** The thread of a `SpawnThread`. */
  spawnThread: file('spawn-thread.js'),
  /** By the names of `builtin:NAME`. */
  plugins: builtinPrograms.map((name) => [name, file(`${name}-plugin.js`)] as const),
};
