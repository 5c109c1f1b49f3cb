import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createProcessSampler,
  FileJobLog,
  FileResultSpool,
  MemoryLogger,
  NodeProcessLauncher,
  openStarter,
  SystemClock,
} from '@carillon/adapters';
import { bundledProgram, signalsOfThisProcess } from '@carillon/testkit';
import type { Worker, WorkerSettings } from '@carillon/worker';
import { Harness, workerSettings } from './harness.js';

/** A worker with real processes, files and time; memory for what would be Redis and the network. */
export interface RealWorker {
  harness: Harness;
  worker: Worker;
  /** The worker's own, and the default one of its jobs. */
  directory: string;
  close(): Promise<void>;
}

/** Starts one that has a primary. */
export async function openRealWorker(settings: Partial<WorkerSettings> = {}): Promise<RealWorker> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'carillon-worker-')));
  const harness = new Harness({
    // Other tests on this machine must not meet: an aborted run is looked for by node and run.
    node: { ...workerSettings().node, id: `n${process.pid}` },
    process: { pid: process.pid, uid: process.getuid?.() ?? -1 },
    environment: process.env,
    workDirectory: directory,
    ...settings,
  });
  const starter = await openStarter({
    threadProgram: bundledProgram('spawn-thread.js'),
    log: new MemoryLogger(),
    signals: signalsOfThisProcess(),
  });
  const worker = harness.newWorker({
    clock: new SystemClock(),
    launcher: new NodeProcessLauncher({ scriptDirectory: join(directory, 'scripts'), starter }),
    sampler: createProcessSampler(),
    logs: new FileJobLog(join(directory, 'logs')),
    spool: new FileResultSpool(join(directory, 'spool'), new MemoryLogger()),
  });
  await harness.elect();
  await worker.start();
  return {
    harness,
    worker,
    directory,
    close: async () => {
      await worker.stop();
      await starter.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** What a job itself put in its archived log. */
export async function outputOf(harness: Harness, job: string): Promise<string> {
  const log = (await harness.archive.text(job)) ?? '';
  return log.slice(log.indexOf('\n\n') + 2, log.lastIndexOf('\n# Job '));
}
