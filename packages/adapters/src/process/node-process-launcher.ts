import {
  type ProcessLauncher,
  type ProcessSpec,
  type RunningProcess,
  SpawnError,
  type UserInfo,
} from '@carillon/core';
import { findMarked } from './linux-strays.js';
import { ForkingStarter } from './start/forking-starter.js';
import type { ProgramStarter } from './start/program-starter.js';
import { ScriptDirectory } from './script-directory.js';
import { explainSpawnFailure } from './spawn-failure.js';
import { findGroup, findUser } from './user-directory.js';

/** Starts in one turn of the event loop: beats and output must not wait for a burst. */
const startsPerTurn = 5;

export interface NodeProcessLauncherOptions {
  /** Private directory for scripts, created if needed; what earlier boots left there is removed. */
  scriptDirectory: string;
  /** Stays the caller's; any number of launchers may share it. Default: forks in this thread. */
  starter?: ProgramStarter;
}

/** Starts processes of this machine: no shell in between, each the leader of its own session and group. */
export class NodeProcessLauncher implements ProcessLauncher {
  readonly #scripts: ScriptDirectory;
  readonly #starter: ProgramStarter;
  #startsThisTurn = 0;
  #nextTurn: Promise<void> | undefined;

  constructor({ scriptDirectory, starter = new ForkingStarter() }: NodeProcessLauncherOptions) {
    this.#scripts = new ScriptDirectory(scriptDirectory);
    this.#starter = starter;
  }

  async launch(spec: ProcessSpec): Promise<RunningProcess> {
    while (this.#startsThisTurn >= startsPerTurn) await this.#turn();
    this.#startsThisTurn += 1;
    void this.#turn();
    try {
      return await this.#starter.start(this.#scripts.startOf(spec), spec.stdin);
    } catch (error) {
      throw error instanceof SpawnError ? error : explainSpawnFailure(error, spec);
    }
  }

  resolveUser(user: string | number): Promise<UserInfo | undefined> {
    return findUser(user);
  }

  resolveGroup(group: string | number): Promise<number | undefined> {
    return findGroup(group);
  }

  async killStrays(marker: string, match: 'exact' | 'prefix' = 'exact'): Promise<number> {
    let killed = 0;
    for (const pid of await this.findStrays(marker, match)) {
      try {
        process.kill(pid, 'SIGKILL');
        killed += 1;
      } catch {
        // Gone meanwhile.
      }
    }
    return killed;
  }

  async findStrays(marker: string, match: 'exact' | 'prefix' = 'exact'): Promise<number[]> {
    return findMarked('CARILLON_RUN', marker, match);
  }

  #turn(): Promise<void> {
    this.#nextTurn ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#startsThisTurn = 0;
        this.#nextTurn = undefined;
        resolve();
      });
    });
    return this.#nextTurn;
  }
}
