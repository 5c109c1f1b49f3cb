import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { ProcessExit, RunningProcess } from '@carillon/core';
import { ChunkQueue } from './chunk-queue.js';
import { hasLiveMember } from './linux-strays.js';
import { systemErrorName } from './spawn-failure.js';

export type PipedChild = ChildProcessByStdio<Writable, Readable, Readable>;

/** A child process that leads its own group. */
export class NodeRunningProcess implements RunningProcess {
  readonly pid: number;
  readonly stdout: ChunkQueue;
  readonly stderr: ChunkQueue;
  readonly exited: Promise<ProcessExit>;
  /** No process of the group was left: its number may belong to strangers by now. */
  #groupGone = false;
  #leaderGone = false;

  /** `onExit` is called once, before `exited` resolves. */
  constructor(child: PipedChild, pid: number, stdin: string, onExit: () => void) {
    this.pid = pid;
    this.stdout = new ChunkQueue(child.stdout);
    this.stderr = new ChunkQueue(child.stderr);
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#leaderGone = true;
        this.#kill(0);
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
    if (!this.#kill(signal)) return false;
    if (signal === 0 && this.#leaderGone) this.#groupGone = hasLiveMember(this.pid) === false;
    return !this.#groupGone;
  }

  #kill(signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
    if (this.#groupGone) return false;
    try {
      process.kill(-this.pid, signal);
      return true;
    } catch (error) {
      // EPERM: there are members, all of another user.
      if (systemErrorName(error) !== 'ESRCH') return true;
      this.#groupGone = this.#leaderGone;
      return false;
    }
  }
}
