import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { connect } from 'node:net';
import type { ServerProgram } from './find-server.js';
import type { ServerFiles } from './server-files.js';

/** `flock` answers with this when somebody else holds the lock. */
export const lockBusy = 75;

/** A server that runs, ours or one that an earlier life of this node left behind. */
export interface RunningServer {
  /** Undefined when an adopted server did not tell. */
  pid: number | undefined;
  /** Resolves when it is gone, or when that has to be looked into. */
  ended: Promise<void>;
  /** Ends the watch over an adopted server. */
  unwatch?: () => void;
}

export interface StartedServer extends RunningServer {
  /** What `ended` found: exit code, signal, or why it could not be started. */
  outcome(): string;
  exitCode(): number | null;
}

function waitForEnd(child: ChildProcess, onEnd: (outcome: string) => void): Promise<void> {
  return new Promise((resolve) => {
    const end = (outcome: string): void => {
      onEnd(outcome);
      resolve();
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
}

/**
 * Starts the server in a process group of its own, so that a Ctrl-C for the node is not one for its data. With `flock`
 * the server inherits a lock on its directory that lives exactly as long as it: Redis itself does not keep a second
 * server off its files.
 */
export function startServer(
  program: ServerProgram,
  files: ServerFiles,
  flock: string | undefined,
  searchPath: string,
): StartedServer {
  const lockWords = ['-n', '-E', String(lockBusy), '--no-fork', files.lockPath, program.file];
  const file = flock ?? program.file;
  const args = [...(flock === undefined ? [] : lockWords), files.configPath];
  const log = openSync(files.logPath, 'a', 0o600);
  let outcome = 'running';
  try {
    const child = spawn(file, args, {
      cwd: files.directory,
      detached: true,
      stdio: ['ignore', log, log],
      env: {
        PATH: searchPath,
        ...(program.libraryPath === undefined ? {} : { LD_LIBRARY_PATH: program.libraryPath }),
      },
    });
    const ended = waitForEnd(child, (text) => {
      outcome = text;
    });
    return { pid: child.pid, ended, outcome: () => outcome, exitCode: () => child.exitCode };
  } finally {
    closeSync(log);
  }
}

/** Watches a server that is not our child through an idle connection. */
export function watchServer(socketPath: string, pid: number | undefined): RunningServer {
  const socket = connect({ path: socketPath });
  // What arrives, if anything, is of no interest, but the end is only seen when it is read.
  socket.resume();
  socket.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
  return { pid, ended, unwatch: () => socket.destroy() };
}
