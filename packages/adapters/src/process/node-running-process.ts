import type { ProcessExit, RunningProcess } from '@carillon/core';
import { ChunkQueue } from './chunk-queue.js';
import { OwnGroup } from './own-group.js';
import type { PipedChild } from './start-program.js';

/** A child process that leads its own group. */
export class NodeRunningProcess implements RunningProcess {
  readonly pid: number;
  readonly stdout: ChunkQueue;
  readonly stderr: ChunkQueue;
  readonly exited: Promise<ProcessExit>;
  readonly #group: OwnGroup;

  /** `onExit` is called once, before `exited` resolves. */
  constructor(child: PipedChild, pid: number, stdin: string, onExit: () => void) {
    this.pid = pid;
    this.#group = new OwnGroup(pid);
    this.stdout = new ChunkQueue(child.stdout);
    this.stderr = new ChunkQueue(child.stderr);
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#group.onLeaderGone();
        onExit();
        resolve({ code, signal });
      });
    });
    // A process need not read its input.
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin);
  }

  stopReading(): void {
    this.stdout.stop();
    this.stderr.stop();
  }

  signalGroup(signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
    return this.#group.signal(signal);
  }
}
