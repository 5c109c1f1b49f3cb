import { closeSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { ProcessExit, RunningProcess } from '@carillon/core';
import { Slots } from '../../../slots.js';
import { PipedProcess } from '../piped-process.js';
import type { ProgramStarter } from '../program-starter.js';
import { lookUp } from '../search-path.js';
import { type ProgramStart, removeScript, startProgram } from '../start-program.js';
import { ExitWatch, type SignalSource } from './exit-watch.js';
import type { Libc } from './libc.js';

/** Calls under way, each of which holds memory of its own; more would only wait for a processor. */
const mostAtOnce = 8;
/** Threads of libuv's pool when nothing is said. */
const usualThreads = 4;
/** What an empty pipe takes at once, however little the system grants to it. */
const pipeBytes = 4096;

export interface PosixSpawnerOptions {
  libc: Libc;
  /** Starts what posix_spawn cannot, such as programs of other users; closed with this one. */
  otherwise: ProgramStarter;
  /** Default: those of this process. */
  signals?: SignalSource;
  /** Of libuv's pool, which files and names of hosts need as well: one is left to them. Default: as in this process. */
  threads?: number;
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
  readonly #slots: Slots;

  constructor({ libc, otherwise, signals = process, threads = poolThreads() }: PosixSpawnerOptions) {
    this.#libc = libc;
    this.#otherwise = otherwise;
    this.#exits = new ExitWatch(libc, signals);
    this.#slots = new Slots(Math.max(1, Math.min(mostAtOnce, threads - 1)));
  }

  async start(start: ProgramStart, stdin: (pid: number) => string): Promise<RunningProcess> {
    const begun = await this.#begin(start);
    // The other way may know how (another user, text without a #! line), or else says why not in the usual words.
    if (begun === undefined) return this.#otherwise.start(start, stdin);
    const { pid, own } = begun;
    const onceCollected = (listener: (exit: ProcessExit) => void): void => this.#exits.watch(pid, listener);
    const onExit = (): void => removeScript(start.script);
    const streams: Socket[] = [];
    const open = (descriptor: number): Socket => {
      const stream = reader(descriptor);
      streams.push(stream);
      return stream;
    };
    try {
      const [stdout, stderr] = [open(own.stdout), open(own.stderr)];
      const started = new PipedProcess({ pid, stdout, stderr, onceCollected }, onExit);
      writeInput(own.stdin, stdin(pid));
      return started;
    } catch (error) {
      // It runs, but nobody could read what it says: whoever is told that it could not be started may start it again.
      process.kill(-pid, 'SIGKILL');
      onceCollected(onExit);
      // The others stay open: their numbers may be somebody else's by now.
      for (const stream of streams) stream.destroy();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#otherwise.close();
  }

  /** Undefined: nothing has run. */
  async #begin(start: ProgramStart): Promise<Begun | undefined> {
    if (start.uid !== undefined || start.gid !== undefined || hasNul(start)) return undefined;
    try {
      return await this.#slots.use(() => startProgram(start, () => this.#spawn(start)));
    } catch {
      return undefined;
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

function poolThreads(): number {
  return Number(process.env['UV_THREADPOOL_SIZE']) || usualThreads;
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

/** Never throws: what has been started must not seem to have failed. */
function closeAll(ends: Pipes['own']): void {
  for (const end of Object.values(ends)) {
    try {
      closeSync(end);
    } catch {
      // It is closed.
    }
  }
}

/** The C library would take what comes before it for the whole. */
function hasNul({ file, args, cwd, env }: ProgramStart): boolean {
  const names = Object.keys(env);
  return [file, cwd, ...args, ...names, ...Object.values(env)].some((text) => text.includes('\0'));
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
