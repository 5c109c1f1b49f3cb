import { type FSWatcher, watch } from 'node:fs';
import type { DetachedProcess, OutputOffsets, ProcessExit } from '@carillon/core';
import { GrowingFile } from './growing-file.js';
import type { ProcessGroup } from './process-group.js';
import type { RunDirectory } from './run-directory.js';

/** For systems whose file watching says nothing; with it most changes show at once. */
const lookEveryMs = 100;
/** Without its keeper, whether a group lives is known only after a look at all processes. */
const looksPerSearch = 5;
const killed: ProcessExit = { code: null, signal: 'SIGKILL' };

/** A detached process, followed through the files it writes. */
export class FollowedProcess implements DetachedProcess {
  readonly pid: number;
  readonly stdout: GrowingFile;
  readonly stderr: GrowingFile;
  readonly exited: Promise<ProcessExit>;
  readonly #directory: RunDirectory;
  readonly #group: ProcessGroup;
  readonly #timer: NodeJS.Timeout;
  #watcher: FSWatcher | undefined;
  #resolve: (exit: ProcessExit) => void = () => undefined;
  #isOver = false;
  #orphanLooks = 0;

  constructor(directory: RunDirectory, group: ProcessGroup, from: OutputOffsets) {
    this.pid = group.identity.pid;
    this.#directory = directory;
    this.#group = group;
    this.stdout = new GrowingFile(directory.file('stdout'), from.stdout);
    this.stderr = new GrowingFile(directory.file('stderr'), from.stderr);
    this.exited = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
    this.#watcher = this.#watch();
    this.#lookAtFiles();
  }

  stopReading(): void {
    this.stdout.stop();
    this.stderr.stop();
  }

  letGo(): void {
    this.#endWatching();
    this.stopReading();
  }

  signalGroup(signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
    return this.#group.signal(signal);
  }

  /** Looks whether it still lives; for whoever learns of the end of the keeper in another way. */
  check(): void {
    this.#orphanLooks = 0;
    this.#look();
  }

  #watch(): FSWatcher | undefined {
    try {
      const watcher = watch(this.#directory.path, (_event, name) => {
        if (name === 'stdout') this.stdout.wake();
        else if (name === 'stderr') this.stderr.wake();
        else if (name === 'status' || name === null) this.#lookAtFiles();
      });
      // The looks go on without it.
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return undefined;
    }
  }

  #look(): void {
    if (this.#lookAtFiles() || this.#group.hasKeeper) return;
    this.#orphanLooks += 1;
    if (this.#orphanLooks % looksPerSearch !== 1 || this.#group.isAlive) return;
    // The keeper may have written its last line since.
    if (!this.#lookAtFiles()) this.#end(killed);
  }

  /** True when the process has ended. */
  #lookAtFiles(): boolean {
    if (this.#isOver) return true;
    this.stdout.wake();
    this.stderr.wake();
    const { exit } = this.#directory.readStatus();
    if (exit !== undefined) this.#end(exit);
    return exit !== undefined;
  }

  #end(exit: ProcessExit): void {
    if (this.#isOver) return;
    this.#endWatching();
    this.stdout.finish();
    this.stderr.finish();
    this.#resolve(exit);
  }

  #endWatching(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}
