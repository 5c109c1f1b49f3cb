import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ProcessLauncher,
  type ProcessSpec,
  type RunningProcess,
  SpawnError,
  type UserInfo,
} from '@carillon/core';
import { findMarked } from './linux-strays.js';
import { NodeRunningProcess, type PipedChild } from './node-running-process.js';
import { explainSpawnFailure } from './spawn-failure.js';
import { findGroup, findUser } from './user-directory.js';

/** Starts in one turn of the event loop; a fork blocks, and beats and output must not wait for a burst. */
const startsPerTurn = 5;

export interface NodeProcessLauncherOptions {
  /** Private directory for scripts, created if needed; what earlier boots left there is removed. */
  scriptDirectory: string;
}

/**
 * Starts processes with Node's `spawn`: no shell in between, each the leader of its own session and group, output
 * through pipes. Keep the starting process small: a fork costs with the memory of its parent.
 */
export class NodeProcessLauncher implements ProcessLauncher {
  readonly #scriptDirectory: string;
  #startsThisTurn = 0;
  #nextTurn: Promise<void> | undefined;

  constructor(options: NodeProcessLauncherOptions) {
    this.#scriptDirectory = options.scriptDirectory;
    // Others may pass through, to scripts they own, but not look around.
    mkdirSync(this.#scriptDirectory, { recursive: true, mode: 0o711 });
    for (const name of readdirSync(this.#scriptDirectory)) {
      rmSync(join(this.#scriptDirectory, name), { force: true, recursive: true });
    }
  }

  async launch(spec: ProcessSpec): Promise<RunningProcess> {
    while (this.#startsThisTurn >= startsPerTurn) await this.#turn();
    this.#startsThisTurn += 1;
    void this.#turn();
    const script = spec.program.kind === 'script' ? join(this.#scriptDirectory, spec.name) : undefined;
    const removeScript = (): void => (script === undefined ? undefined : removeFile(script));
    try {
      const child = this.#spawn(spec, script);
      if (child.pid === undefined) {
        const [error]: unknown[] = await once(child, 'error');
        throw error;
      }
      return new NodeRunningProcess(child, child.pid, spec.stdin(child.pid), removeScript);
    } catch (error) {
      removeScript();
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

  /**
   * Writes the script and forks without a pause in between: a fork elsewhere in this process, while the file is open
   * for writing, would make the system refuse to execute it (ETXTBSY).
   */
  #spawn(spec: ProcessSpec, script: string | undefined): PipedChild {
    const { program, cwd, uid, gid } = spec;
    if (script !== undefined && program.kind === 'script') {
      writeFileSync(script, program.source, { mode: 0o700 });
      if (uid !== undefined) chownSync(script, uid, gid ?? uid);
    }
    const [file, args] = commandOf(spec, script);
    return spawn(file, args, {
      cwd,
      env: spec.env,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      // With either id set the system's list of supplementary groups is emptied as well.
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    });
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

/** File and arguments that start a program; `script`: where its text has been put. Throws SpawnError. */
export function commandOf({ program }: ProcessSpec, script: string | undefined): [string, readonly string[]] {
  if (program.kind === 'exec') {
    if (
      program.file === '' ||
      program.file.includes('\0') ||
      program.args.some((arg) => arg.includes('\0'))
    ) {
      throw new SpawnError('The command is empty or has a NUL character', 'EINVAL');
    }
    return [program.file, program.args];
  }
  const path = script ?? '';
  return program.source.startsWith('#!') ? [path, []] : ['/bin/sh', [path]];
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already, or its directory is; nothing depends on it.
  }
}
