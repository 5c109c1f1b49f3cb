import type { ProcessExit, RunningProcess } from '@carillon/core';
import { OwnGroup } from '../own-group.js';
import type { StreamName, ThreadNews, ThreadOrder } from './messages.js';
import { TakenChunks } from './taken-chunks.js';

/** What happens after the start. */
export type LaterNews = Extract<ThreadNews, { kind: 'chunk' | 'end' | 'exit' }>;

/** A process whose pipes and exit another thread watches. */
export class ThreadProcess implements RunningProcess {
  readonly pid: number;
  readonly stdout: TakenChunks;
  readonly stderr: TakenChunks;
  readonly exited: Promise<ProcessExit>;
  readonly #group: OwnGroup;
  readonly #stop: () => void;
  #resolveExit: (exit: ProcessExit) => void = () => undefined;

  /** `group`: shared with the thread. */
  constructor(
    run: number,
    pid: number,
    group: Int32Array<SharedArrayBuffer>,
    order: (order: ThreadOrder) => void,
  ) {
    this.pid = pid;
    this.#group = new OwnGroup(pid, group);
    const chunks = (stream: StreamName): TakenChunks =>
      new TakenChunks((bytes) => order({ kind: 'taken', run, stream, bytes }));
    this.stdout = chunks('stdout');
    this.stderr = chunks('stderr');
    this.#stop = () => order({ kind: 'stop', run });
    this.exited = new Promise((resolve) => {
      this.#resolveExit = resolve;
    });
  }

  stopReading(): void {
    this.stdout.end();
    this.stderr.end();
    this.#stop();
  }

  signalGroup(signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
    return this.#group.signal(signal);
  }

  onNews(news: LaterNews): void {
    switch (news.kind) {
      case 'chunk':
        this[news.stream].push(news.bytes);
        return;
      case 'end':
        this[news.stream].end();
        return;
      case 'exit':
        this.#resolveExit({ code: news.code, signal: news.signal });
    }
  }
}
