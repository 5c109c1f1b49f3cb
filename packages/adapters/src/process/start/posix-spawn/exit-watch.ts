import { constants } from 'node:os';
import type { ProcessExit } from '@carillon/core';
import type { Libc } from './libc.js';

/** What tells of signals to this process. */
export type SignalSource = Pick<NodeJS.EventEmitter, 'on' | 'off'>;

/** Of two names for one number the first is the usual one: SIGABRT, not SIGIOT. */
const namesOfSignals = new Map(
  Object.entries(constants.signals)
    .toReversed()
    .map(([name, number]) => [number, name]),
);
/** Also keeps this process alive while a child runs. */
const lookAnywayMs = 1000;

/** Sees children end that Node did not start and knows nothing of. */
export class ExitWatch {
  readonly #libc: Pick<Libc, 'collect'>;
  readonly #signals: SignalSource;
  readonly #running = new Map<number, (exit: ProcessExit) => void>();
  #expected = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(libc: Pick<Libc, 'collect'>, signals: SignalSource) {
    this.#libc = libc;
    this.#signals = signals;
  }

  /** Before a start: the signal of its end must find a listener. Each is followed by `watch` or `cancel`. */
  expect(): void {
    this.#expected += 1;
    if (this.#timer !== undefined) return;
    this.#signals.on('SIGCHLD', this.#look);
    this.#timer = setInterval(this.#look, lookAnywayMs);
  }

  cancel(): void {
    this.#expected -= 1;
    this.#rest();
  }

  /** `onExit` is called once, when the child has been collected: its pid may be another's from then on. */
  watch(pid: number, onExit: (exit: ProcessExit) => void): void {
    this.#expected -= 1;
    this.#running.set(pid, onExit);
    // Its end may be past already.
    this.#lookAt(pid, onExit);
    this.#rest();
  }

  readonly #look = (): void => {
    for (const [pid, onExit] of this.#running) this.#lookAt(pid, onExit);
    this.#rest();
  };

  #lookAt(pid: number, onExit: (exit: ProcessExit) => void): void {
    const exit = this.#exitOf(pid);
    if (exit === undefined) return;
    this.#running.delete(pid);
    onExit(exit);
  }

  #exitOf(pid: number): ProcessExit | undefined {
    try {
      const status = this.#libc.collect(pid);
      return status === undefined ? undefined : exitOfStatus(status);
    } catch {
      // Somebody else has collected it, and nobody knows how it ended.
      return { code: null, signal: null };
    }
  }

  #rest(): void {
    if (this.#expected > 0 || this.#running.size > 0) return;
    this.#signals.off('SIGCHLD', this.#look);
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** What the status of `waitpid` says: the low seven bits are a signal, the byte above them is a code. */
export function exitOfStatus(status: number): ProcessExit {
  const signal = status & 0x7f;
  if (signal === 0) return { code: (status >> 8) & 0xff, signal: null };
  return { code: null, signal: namesOfSignals.get(signal) ?? `SIG${signal}` };
}
