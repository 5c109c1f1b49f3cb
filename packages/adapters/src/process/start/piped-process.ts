import type { Readable } from 'node:stream';
import type { ProcessExit, RunningProcess } from '@carillon/core';
import { ChunkQueue } from './chunk-queue.js';
import { OwnGroup } from './own-group.js';

export interface StartedProcess {
  pid: number;
  stdout: Readable;
  stderr: Readable;
  /** Calls back once, in the moment in which the process has been collected. */
  onceCollected: (listener: (exit: ProcessExit) => void) => void;
}

/** A process that leads its own group, watched by this thread. */
export class PipedProcess implements RunningProcess {
  readonly pid: number;
  readonly stdout: ChunkQueue;
  readonly stderr: ChunkQueue;
  readonly exited: Promise<ProcessExit>;
  readonly #group: OwnGroup;

  /** `onExit` is called once, before `exited` resolves. */
  constructor({ pid, stdout, stderr, onceCollected }: StartedProcess, onExit: () => void) {
    this.pid = pid;
    this.#group = new OwnGroup(pid);
    this.stdout = new ChunkQueue(stdout);
    this.stderr = new ChunkQueue(stderr);
    this.exited = new Promise((resolve) => {
      onceCollected((exit) => {
        this.#group.onLeaderGone();
        onExit();
        resolve(exit);
      });
    });
  }

  stopReading(): void {
    this.stdout.stop();
    this.stderr.stop();
  }

  signalGroup(signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
    return this.#group.signal(signal);
  }
}
