import { Worker } from 'node:worker_threads';
import type { RunningProcess } from '@carillon/core';
import type { ProgramStarter } from '../program-starter.js';
import type { ProgramStart } from '../start-program.js';
import type { ThreadNews, ThreadOrder } from './messages.js';
import { ThreadProcess } from './thread-process.js';

/** Two streams and the exit. */
const endsOfProcess = 3;

interface Run {
  group: Int32Array<SharedArrayBuffer>;
  stdin: (pid: number) => string;
  process?: ThreadProcess;
  endsLeft: number;
  resolve: (process: RunningProcess) => void;
  reject: (error: unknown) => void;
}

/**
 * A thread that starts processes and reads their pipes: a fork blocks whoever forks until the new process is under
 * way, and meanwhile the thread that asked goes on. It exists from the first start on. When it fails it takes the whole
 * process with it, as any fault that nobody catches: processes without a watcher would never be seen to end.
 */
export class SpawnThread implements ProgramStarter {
  readonly #program: string;
  #thread: Worker | undefined;
  readonly #runs = new Map<number, Run>();
  #started = 0;
  #closed = false;

  /** `program`: path of `thread.js`, or of what it was put into. */
  constructor(program: string) {
    this.#program = program;
  }

  start(start: ProgramStart, stdin: (pid: number) => string): Promise<RunningProcess> {
    if (this.#closed) return Promise.reject(new Error('No process can be started any more'));
    return new Promise((resolve, reject) => {
      const run = this.#started;
      this.#started += 1;
      const group = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
      this.#runs.set(run, { group, stdin, endsLeft: endsOfProcess, resolve, reject });
      this.#thread ??= this.#open();
      this.#thread.ref();
      this.#order({ kind: 'start', run, start, group });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#thread?.terminate();
  }

  #open(): Worker {
    const thread = new Worker(this.#program, {
      name: 'spawn',
      // A fork copies the tables of all memory of the process.
      resourceLimits: { maxYoungGenerationSizeMb: 2, stackSizeMb: 1 },
    });
    thread.on('message', (news: ThreadNews[]) => {
      for (const piece of news) this.#onNews(piece);
    });
    thread.on('error', (error) => {
      throw error;
    });
    thread.on('exit', (code) => {
      if (!this.#closed) throw new Error(`The thread that starts processes ended with code ${code}`);
    });
    return thread;
  }

  #order(order: ThreadOrder): void {
    this.#thread?.postMessage(order);
  }

  #onNews(news: ThreadNews): void {
    const run = this.#runs.get(news.run);
    if (run === undefined) return;
    switch (news.kind) {
      case 'started':
        this.#onStarted(news.run, run, news.pid);
        return;
      case 'refused':
        run.reject(Object.assign(new Error(news.message), { code: news.code }));
        this.#forget(news.run);
        return;
      default:
        run.process?.onNews(news);
        if (news.kind === 'chunk') return;
        run.endsLeft -= 1;
        if (run.endsLeft === 0) this.#forget(news.run);
    }
  }

  #onStarted(number: number, run: Run, pid: number): void {
    run.process = new ThreadProcess(number, pid, run.group, (order) => this.#order(order));
    this.#order({ kind: 'input', run: number, text: run.stdin(pid) });
    run.resolve(run.process);
  }

  #forget(run: number): void {
    this.#runs.delete(run);
    if (this.#runs.size === 0) this.#thread?.unref();
  }
}
