import type { RunningProcess } from '@carillon/core';
import { PipedProcess } from './piped-process.js';
import type { ProgramStarter } from './program-starter.js';
import { type ProgramStart, removeScript, spawnPiped, startProgram } from './start-program.js';

/** Starts programs with Node's `spawn`, which blocks the thread until the new process is under way. */
export class ForkingStarter implements ProgramStarter {
  async start(start: ProgramStart, stdin: (pid: number) => string): Promise<RunningProcess> {
    const { child, pid } = await startProgram(start, spawnPiped);
    const started = new PipedProcess(
      {
        pid,
        stdout: child.stdout,
        stderr: child.stderr,
        onceCollected: (listener) => child.once('exit', (code, signal) => listener({ code, signal })),
      },
      () => removeScript(start.script),
    );
    // A process need not read its input.
    child.stdin.on('error', () => undefined);
    child.stdin.end(stdin(pid));
    return started;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
