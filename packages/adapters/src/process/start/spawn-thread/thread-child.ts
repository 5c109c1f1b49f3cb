import type { Readable } from 'node:stream';
import { OwnGroup } from '../own-group.js';
import { type PipedChild, type ProgramStart, removeScript } from '../start-program.js';
import type { StreamName, ThreadNews, ThreadOrder } from './messages.js';

/** Bytes of a stream on their way to the consumer before reading stops. */
const windowBytes = 524_288;

export interface ThreadChildOptions {
  run: number;
  child: PipedChild;
  pid: number;
  script: ProgramStart['script'];
  group: Int32Array<SharedArrayBuffer>;
  tell: (news: ThreadNews) => void;
  /** Nothing will happen any more. */
  forget: (run: number) => void;
}

/** A child process in the thread that started it: tells what happens to it, and does what it is told. */
export class ThreadChild {
  readonly #options: ThreadChildOptions;
  readonly #onTheWay: Record<StreamName, number> = { stdout: 0, stderr: 0 };
  #isOpen = 3;

  constructor(options: ThreadChildOptions) {
    this.#options = options;
    const { child, run, tell, script } = options;
    const group = new OwnGroup(options.pid, options.group);
    // A process need not read its input.
    child.stdin.on('error', () => undefined);
    this.#pass('stdout', child.stdout);
    this.#pass('stderr', child.stderr);
    child.once('exit', (code, signal) => {
      group.onLeaderGone();
      removeScript(script);
      // After one more round of reading: what the process wrote before its exit is told before it, unless the consumer
      // is behind.
      afterReading(() => {
        tell({ kind: 'exit', run, code, signal });
        this.#onEnd();
      });
    });
  }

  obey(order: Exclude<ThreadOrder, { kind: 'start' }>): void {
    const { child } = this.#options;
    switch (order.kind) {
      case 'input':
        child.stdin.end(order.text);
        return;
      case 'taken':
        this.#onTheWay[order.stream] -= order.bytes;
        if (this.#onTheWay[order.stream] <= windowBytes) child[order.stream].resume();
        return;
      case 'stop':
        child.stdout.destroy();
        child.stderr.destroy();
    }
  }

  #pass(name: StreamName, stream: Readable): void {
    const { run, tell } = this.#options;
    stream.on('data', (bytes: Uint8Array) => {
      // Its memory may go to the other thread.
      this.#onTheWay[name] += bytes.byteLength;
      tell({ kind: 'chunk', run, stream: name, bytes });
      if (this.#onTheWay[name] > windowBytes) stream.pause();
    });
    // A broken pipe is followed by close; without a listener it would end this process.
    stream.on('error', () => undefined);
    stream.once('close', () => {
      tell({ kind: 'end', run, stream: name });
      this.#onEnd();
    });
  }

  #onEnd(): void {
    this.#isOpen -= 1;
    if (this.#isOpen === 0) this.#options.forget(this.#options.run);
  }
}

function afterReading(then: () => void): void {
  setImmediate(() => setImmediate(then));
}
