import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Cancel, Clock, Logger } from '@carillon/core';
import { programs } from '../start/programs.js';
import type { WorkerSettings } from './worker-settings.js';

/** Parent → worker process. */
export type SupervisorMessage =
  | { type: 'start'; settings: WorkerSettings }
  /** Finish what runs within `graceMs`, then exit. Repeats may shorten the time. */
  | { type: 'drain'; graceMs: number };

/** Worker process → parent. */
export type ProcessMessage =
  /** The primary asked it to end: it will exit, and is to be started again or not. */
  { type: 'leaving'; restart: boolean };

/**
 * The worker makes little that lives for a while. Its heap is collected by the thread that uses it: the threads that
 * would help must wait for a processor while jobs start, and it for them.
 */
const smallHeap = ['--max-semi-space-size=1', '--single-threaded-gc'];
/** Threads that start processes, one that is left to files. */
const poolThreads = '8';
const restartAfterMs = [100, 500, 2_000, 5_000];
/** A worker process that lived this long gets a quick restart again. */
const healthyAfterMs = 30_000;

/**
 * Runs the worker in a process of its own, so that the primary's heap never stands in the way of a job's start,
 * and starts it again when it dies, or when it was drained to be restarted. Settings go over the IPC channel: nothing secret is in its arguments or
 * environment.
 */
export class WorkerSupervisor {
  readonly #settings: WorkerSettings;
  readonly #clock: Clock;
  readonly #log: Logger;
  #child: ChildProcess | undefined;
  #stopping = false;
  /** Said by the present process before its end. */
  #leaving: 'restart' | 'for good' | undefined;
  #restarts = 0;
  #timer: Cancel | undefined;

  constructor(settings: WorkerSettings, clock: Clock, log: Logger) {
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
  }

  start(): void {
    const startedAtMs = this.#clock.monotonicMs();
    const child = fork(programs.worker, [], {
      env: { UV_THREADPOOL_SIZE: poolThreads, ...withoutSecrets(process.env) },
      execArgv: [...process.execArgv, ...smallHeap],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // The terminal's Ctrl-C reaches the whole group; only the supervisor decides when the worker ends.
      detached: true,
    });
    this.#child = child;
    child.on('error', (error) => {
      this.#log.log('error', 'The worker process failed', { error: String(error) });
      // A process that could not be started has no exit.
      if (child.pid === undefined) this.#onExit(child, startedAtMs, null, null);
    });
    child.on('message', (message: ProcessMessage) => {
      this.#leaving = message.restart ? 'restart' : 'for good';
    });
    child.once('exit', (code, signal) => this.#onExit(child, startedAtMs, code, signal));
    this.#send({ type: 'start', settings: this.#settings });
  }

  /** Process id of the worker, while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Drains the worker and waits for its end. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#timer?.();
    const child = this.#child;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    this.#send({ type: 'drain', graceMs });
    await exited;
  }

  /** Shortens the grace period of a drain under way. */
  hasten(): void {
    this.#send({ type: 'drain', graceMs: 0 });
  }

  #send(message: SupervisorMessage): void {
    // Without a process there may be no channel either.
    if (this.#child?.connected !== true) return;
    this.#child.send(message, (error) => {
      if (error !== null)
        this.#log.log('debug', 'The worker process cannot be reached', { error: String(error) });
    });
  }

  #onExit(child: ChildProcess, startedAtMs: number, code: number | null, signal: string | null): void {
    if (this.#child === child) this.#child = undefined;
    if (this.#stopping) return;
    if (this.#leaving !== undefined) {
      this.#onLeft(this.#leaving);
      return;
    }
    if (this.#clock.monotonicMs() - startedAtMs > healthyAfterMs) this.#restarts = 0;
    const delayMs = restartAfterMs[Math.min(this.#restarts, restartAfterMs.length - 1)] ?? 0;
    this.#restarts += 1;
    this.#log.log('error', 'The worker process ended and is started again', { code, signal, delayMs });
    this.#timer = this.#clock.after(delayMs, () => this.start());
  }

  #onLeft(how: 'restart' | 'for good'): void {
    this.#leaving = undefined;
    this.#log.log('info', 'The worker process has been drained by request', { restart: how === 'restart' });
    if (how === 'restart') this.start();
  }
}

/** The environment without the node's own settings, which may hold credentials. */
export function withoutSecrets(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('CARILLON_')));
}
