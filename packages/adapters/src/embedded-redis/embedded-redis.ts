import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Clock, Logger } from '@carillon/core';
import type { DirectoryLock } from './directory-lock.js';
import { findFlock, findServer, type ServerProgram } from './find-server.js';
import { commandLine, isPidAlive } from './process-table.js';
import { askRedis, redisPid } from './redis-socket.js';
import { logTail, prepareFiles, type ServerFiles, writeConfig } from './server-files.js';
import { lockBusy, type RunningServer, startServer, watchServer } from './server-process.js';

export interface EmbeddedRedisOptions {
  /** Ownership of the data directory; the server lives in its folder `redis`. */
  lock: DirectoryLock;
  /** Path of the server program; otherwise it is looked for. */
  program?: string;
  /** Where a program may have been unpacked: `bin` and `lib` in it. */
  cacheDir?: string;
  /** Directories to look for programs in; defaults to PATH. */
  searchPath?: string;
  clock: Clock;
  log: Logger;
}

const pollMs = 20;
/** A server that neither answers nor ends within this time is given up. Loading counts as answering. */
const silentStartMs = 30_000;
/** A server that lived shorter is restarted with a growing pause. */
const soundLifeMs = 5_000;
const longestPauseMs = 5_000;
/** For an orderly end, then again for a SIGTERM. */
const endMs = 5_000;

type Place = { files: ServerFiles; program: ServerProgram; flock: string | undefined };

/**
 * A private Redis server on a Unix socket in the data directory, with everything written to its append-only file. It is
 * restarted when it dies, and survives a crash of the node: the next start adopts it.
 */
export class EmbeddedRedis {
  readonly #options: EmbeddedRedisOptions;
  readonly #searchPath: string;
  #stopping = false;
  #stopped: Promise<void> | undefined;
  #supervision: Promise<void> = Promise.resolve();
  #server: RunningServer | undefined;
  #starting: Promise<unknown> = Promise.resolve();
  #socketPath = '';
  #wake: () => void = () => undefined;

  constructor(options: EmbeddedRedisOptions) {
    this.#options = options;
    this.#searchPath = options.searchPath ?? process.env['PATH'] ?? '';
  }

  /** Resolves when the server answers. Rejects with a text that tells the remedy, or when stopped first. Call once. */
  start(): Promise<{ socketPath: string }> {
    const started = this.#start();
    this.#starting = started.catch(() => undefined);
    return started;
  }

  /** Ends the server in order, everything written, and resolves when its process is gone. Harmless when repeated. */
  stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    await this.#end();
    await this.#starting;
    await this.#supervision;
    // One that was being started meanwhile.
    await this.#end();
  }

  async #start(): Promise<{ socketPath: string }> {
    const { lock, program, cacheDir } = this.#options;
    const files = await prepareFiles(lock.directory);
    const place: Place = {
      files,
      program: findServer(program, this.#searchPath, cacheDir),
      flock: findFlock(this.#searchPath, isUtilLinux),
    };
    this.#socketPath = files.socketPath;
    const server = await this.#bringUp(place);
    this.#supervision = this.#supervise(place, server);
    return { socketPath: files.socketPath };
  }

  async #end(): Promise<void> {
    const { clock, log } = this.#options;
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const isGone = (): boolean => server.pid === undefined || !isPidAlive(server.pid);
    await askRedis(this.#socketPath, ['SHUTDOWN'], clock, endMs);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (await this.#until(isGone, endMs)) break;
      log.log('warn', 'Redis does not end and gets a signal', { pid: server.pid, signal });
      if (server.pid !== undefined) kill(server.pid, signal);
    }
    await this.#until(isGone, endMs);
    server.unwatch?.();
  }

  async #supervise(place: Place, first: RunningServer): Promise<void> {
    const { clock, log } = this.#options;
    let server = first;
    let pauseMs = 0;
    while (!this.#stopping) {
      const startedAtMs = clock.monotonicMs();
      await server.ended;
      if (this.#stopping) return;
      log.log('error', 'Redis has ended and is started again', { pid: server.pid });
      const isSound = clock.monotonicMs() - startedAtMs >= soundLifeMs;
      pauseMs = isSound ? 0 : Math.min(longestPauseMs, pauseMs * 2 + 25);
      const next = await this.#bringUpAgain(place, pauseMs);
      if (next === undefined) return;
      server = next;
      log.log('info', 'Redis runs again', { pid: server.pid });
    }
  }

  /** Tries until it works; undefined when stopped meanwhile. */
  async #bringUpAgain(place: Place, firstPauseMs: number): Promise<RunningServer | undefined> {
    for (let pauseMs = firstPauseMs; !this.#stopping; pauseMs = Math.min(longestPauseMs, pauseMs * 2 + 100)) {
      await this.#pause(pauseMs);
      if (this.#stopping) break;
      try {
        return await this.#bringUp(place);
      } catch (error) {
        if (this.#stopping) break;
        this.#options.log.log('error', 'Redis cannot be started; it is tried again', {
          error: String(error),
        });
      }
    }
    return undefined;
  }

  /** Adopts the server that answers, or starts one. */
  async #bringUp(place: Place): Promise<RunningServer> {
    const { clock, log } = this.#options;
    const { files } = place;
    let waitedFor = 0;
    await writeConfig(files);
    for (;;) {
      const answer = await askRedis(files.socketPath, ['PING'], clock);
      this.#refuseWhenStopping();
      if (answer?.startsWith('+PONG') === true) {
        const pid = await redisPid(files.socketPath, clock);
        log.log('info', 'A Redis server that was left running is used', { pid });
        return this.#keep(watchServer(files.socketPath, pid));
      }
      if (answer === undefined && !isLeftRunning(files)) {
        const server = await this.#startOne(place);
        if (server !== undefined) return server;
      }
      // Somebody is loading, ending, or being started; the lock or the process says that it is there.
      waitedFor = answer === undefined ? waitedFor + 100 : 0;
      if (waitedFor > silentStartMs) {
        throw new Error(
          `A Redis server holds ${files.directory} but does not answer; end it and start again`,
        );
      }
      await this.#pause(100);
    }
  }

  /** Undefined when another server holds the directory. */
  async #startOne(place: Place): Promise<RunningServer | undefined> {
    const { clock } = this.#options;
    const { files } = place;
    const server = startServer(place.program, files, place.flock, this.#searchPath);
    let isEnded = false;
    const ended = server.ended.then(() => {
      isEnded = true;
    });
    this.#keep({ pid: server.pid, ended });
    let heardAtMs = clock.monotonicMs();
    while (!isEnded) {
      const answer = await askRedis(files.socketPath, ['PING'], clock);
      this.#refuseWhenStopping();
      if (answer?.startsWith('+PONG') === true && !isEnded) return this.#keep({ pid: server.pid, ended });
      if (answer !== undefined) heardAtMs = clock.monotonicMs();
      if (clock.monotonicMs() - heardAtMs > silentStartMs) {
        if (server.pid !== undefined) kill(server.pid, 'SIGKILL');
        await ended;
      } else await Promise.race([this.#pause(pollMs), ended]);
    }
    this.#server = undefined;
    if (server.exitCode() === lockBusy) return undefined;
    throw new Error(
      `Redis (${place.program.file}) does not start: ${server.outcome()}. Its log ${files.logPath} ends with:\n` +
        (await logTail(files)),
    );
  }

  /** Whoever stops ends the server as well. */
  #refuseWhenStopping(): void {
    if (this.#stopping) throw new Error('Stopped while Redis was starting');
  }

  #keep(server: RunningServer): RunningServer {
    this.#server = server;
    return server;
  }

  async #until(isTrue: () => boolean, limitMs: number): Promise<boolean> {
    const { clock } = this.#options;
    const endsAtMs = clock.monotonicMs() + limitMs;
    while (!isTrue() && clock.monotonicMs() < endsAtMs) {
      await new Promise<void>((resolve) => clock.after(pollMs, resolve));
    }
    return isTrue();
  }

  /** Ends early when stopped. */
  #pause(ms: number): Promise<void> {
    if (this.#stopping) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}

/** Without `flock` the pid file tells whether a server still has the directory. */
function isLeftRunning(files: ServerFiles): boolean {
  let pid = 0;
  try {
    pid = Number(readFileSync(files.pidPath, 'utf8'));
  } catch {
    return false;
  }
  return (
    isPidAlive(pid) &&
    /(redis|valkey)-server/.test(commandLine(pid)) &&
    [files.directory, files.socketPath].some((path) => commandLine(pid).includes(path))
  );
}

function isUtilLinux(file: string): boolean {
  const { stdout } = spawnSync(file, ['--version'], { encoding: 'utf8', timeout: 2_000 });
  return typeof stdout === 'string' && stdout.includes('util-linux');
}

function kill(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}
