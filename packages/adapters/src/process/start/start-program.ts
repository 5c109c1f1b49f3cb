import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Readable, Writable } from 'node:stream';
import { systemErrorName } from '../system-error.js';

export type PipedChild = ChildProcessByStdio<Writable, Readable, Readable>;

/** Everything the system must know to start a program; travels between threads. */
export interface ProgramStart {
  file: string;
  args: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  uid: number | undefined;
  gid: number | undefined;
  /** To be written before, and removed by the caller after the exit. */
  script: { path: string; source: string } | undefined;
}

/** A child that runs. */
export interface StartedProgram {
  child: PipedChild;
  pid: number;
}

/** For a fork elsewhere in this process to become another program. */
const busyPauseMs = 2;
const busyTries = 50;

/**
 * Writes a program's script and starts it with `spawn`; the script is removed when that fails. Rejects with its error.
 */
export async function startProgram<Started>(
  start: ProgramStart,
  spawn: (start: ProgramStart) => Promise<Started>,
): Promise<Started> {
  const { script, uid, gid } = start;
  try {
    if (script !== undefined) {
      writeFileSync(script.path, script.source, { mode: 0o700 });
      if (uid !== undefined) chownSync(script.path, uid, gid ?? uid);
    }
    for (let tries = 1; ; tries += 1) {
      try {
        return await spawn(start);
      } catch (error) {
        // Another thread forked while the script was open for writing here, and its child has it open still.
        if (systemErrorName(error) !== 'ETXTBSY' || tries === busyTries) throw error;
        await pause(busyPauseMs);
      }
    }
  } catch (error) {
    removeScript(script);
    throw error;
  }
}

/** Starts a program with Node's `spawn`, as leader of a new session, output through pipes. Rejects with the system's error. */
export async function spawnPiped({ file, args, cwd, env, uid, gid }: ProgramStart): Promise<StartedProgram> {
  const child = spawn(file, args, {
    cwd,
    env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    // With either id set the system's list of supplementary groups is emptied as well.
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  });
  if (child.pid !== undefined) return { child, pid: child.pid };
  const [error]: unknown[] = await once(child, 'error');
  throw error;
}

/** Harmless when there is none, or when it is gone already. */
export function removeScript(script: ProgramStart['script']): void {
  if (script === undefined) return;
  try {
    unlinkSync(script.path);
  } catch {
    // Or its directory is; nothing depends on it.
  }
}
