import { closeSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { RunningProcess } from '@carillon/core';
import { PipedProcess } from '../piped-process.js';
import type { ProgramStarter } from '../program-starter.js';
import { lookUp } from '../search-path.js';
import { type ProgramStart, removeScript, startProgram } from '../start-program.js';
import { ExitWatch, type SignalSource } from './exit-watch.js';
import type { Libc } from './libc.js';

/** Calls under way, each of which holds memory of its own; more would only wait for a processor. */
const startsAtOnce = 8;
/** What an empty pipe takes at once, however little the system grants to it. */
const pipeBytes = 4096;

export interface PosixSpawnerOptions {
  libc: Libc;
  /** Starts what posix_spawn cannot, such as programs of other users; closed with this one. */
  otherwise: ProgramStarter;
  /** Default: those of this process. */
  signals?: SignalSource;
}

interface Pipes {
  /** This process's ends. */
  own: { stdin: number; stdout: number; stderr: number };
  child: { stdin: number; stdout: number; stderr: number };
}

/** A process that runs and is expected by the watch of exits. */
interface Begun {
  pid: number;
  own: Pipes['own'];
}

/**
 * Starts programs with posix_spawn, which lets the new process borrow the memory of this one until it executes its
 * program; a fork would copy the tables of it, and every page written meanwhile. Output comes through pipes.
 */
export class PosixSpawner implements ProgramStarter {
  readonly #libc: Libc;
  readonly #otherwise: ProgramStarter;
  readonly #exits: ExitWatch;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor({ libc, otherwise, signals = process }: PosixSpawnerOptions) {
    this.#libc = libc;
    this.#otherwise = otherwise;
    this.#exits = new ExitWatch(libc, signals);
  }

  async start(start: ProgramStart, stdin: (pid: number) => string): Promise<RunningProcess> {
    const begun = await this.#begin(start);
    // The other way may know how (another user, text without a #! line), or else says why not in the usual words.
    if (begun === undefined) return this.#otherwise.start(start, stdin);
    const { pid, own } = begun;
    const started = new PipedProcess(
      {
        pid,
        stdout: reader(own.stdout),
        stderr: reader(own.stderr),
        onceCollected: (listener) => this.#exits.watch(pid, listener),
      },
      () => removeScript(start.script),
    );
    writeInput(own.stdin, stdin(pid));
    return started;
  }

  async close(): Promise<void> {
    await this.#otherwise.close();
  }

  /** Undefined: nothing has run. */
  async #begin(start: ProgramStart): Promise<Begun | undefined> {
    if (start.uid !== undefined || start.gid !== undefined) return undefined;
    while (this.#underWay >= startsAtOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#underWay += 1;
    try {
      return await startProgram(start, () => this.#spawn(start));
    } catch {
      return undefined;
    } finally {
      this.#underWay -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #spawn(start: ProgramStart): Promise<Begun> {
    const path = pathOf(start);
    const { own, child } = openPipes(this.#libc);
    this.#exits.expect();
    try {
      const pid = await this.#libc.spawn({
        path,
        argv: [start.file, ...start.args],
        envp: Object.entries(start.env).map(([name, value]) => `${name}=${value}`),
        cwd: start.cwd,
        ...child,
      });
      return { pid, own };
    } catch (error) {
      this.#exits.cancel();
      closeAll(own);
      throw error;
    } finally {
      closeAll(child);
    }
  }
}

/** A path is taken as it is. Throws when nothing is found. */
function pathOf(start: ProgramStart): string {
  if (start.file.includes('/')) return start.file;
  const found = lookUp(start.file, start);
  if (typeof found === 'string') throw Object.assign(new Error(`${found}: ${start.file}`), { code: found });
  return found.path;
}

/** Throws the system's error, and leaves nothing open then. */
function openPipes(libc: Libc): Pipes {
  const open: number[] = [];
  const pipe = (): [number, number] => {
    const ends = libc.pipe();
    open.push(...ends);
    return ends;
  };
  try {
    const [stdin, stdout, stderr] = [pipe(), pipe(), pipe()];
    return {
      child: { stdin: stdin[0], stdout: stdout[1], stderr: stderr[1] },
      own: { stdin: stdin[1], stdout: stdout[0], stderr: stderr[0] },
    };
  } catch (error) {
    for (const end of open) closeSync(end);
    throw error;
  }
}

function closeAll(ends: Pipes['own']): void {
  for (const end of Object.values(ends)) closeSync(end);
}

function reader(descriptor: number): Socket {
  return new Socket({ fd: descriptor, readable: true, writable: false });
}

/** Writes all of it and closes the pipe. A process need not read its input. */
function writeInput(descriptor: number, text: string): void {
  if (Buffer.byteLength(text) > pipeBytes) {
    const pipe = new Socket({ fd: descriptor, readable: false, writable: true });
    pipe.on('error', () => undefined);
    pipe.end(text);
    return;
  }
  try {
    writeSync(descriptor, text);
  } catch {
    // It has closed its input already, or ended.
  } finally {
    closeSync(descriptor);
  }
}
