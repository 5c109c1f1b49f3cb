import {
  type ProcessExit,
  type ProcessLauncher,
  type ProcessSampler,
  type ProcessSpec,
  type RunningProcess,
  SpawnError,
  type TreeSample,
  type UserInfo,
} from '@carillon/core';

/** Chunks given by hand, for one reader. */
export class HandFed implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #chunks: Uint8Array[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (this.#chunks.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const value = this.#chunks.shift();
    return value === undefined ? { done: true, value } : { done: false, value };
  }

  give(text: string): void {
    this.#chunks.push(Buffer.from(text));
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }
}

/** A process that does what a test says. */
export class ScriptedProcess implements RunningProcess {
  readonly pid: number;
  readonly spec: ProcessSpec;
  /** What its standard input had. */
  readonly input: string;
  readonly stdout = new HandFed();
  readonly stderr = new HandFed();
  readonly exited: Promise<ProcessExit>;
  /** Signals received, without questions whether it is there. */
  readonly signals: string[] = [];
  /** True: SIGTERM does not end it. */
  ignoresTerm = false;
  /** Other processes of the group that outlive this one and ignore SIGTERM. */
  survivors = 0;
  #exit: (exit: ProcessExit) => void = () => undefined;
  #alive = true;

  constructor(pid: number, spec: ProcessSpec) {
    this.pid = pid;
    this.spec = spec;
    this.input = spec.stdin(pid);
    this.exited = new Promise((resolve) => {
      this.#exit = resolve;
    });
  }

  /** Writes to standard output. */
  say(text: string): void {
    this.stdout.give(text);
  }

  /** Writes to standard error. */
  complain(text: string): void {
    this.stderr.give(text);
  }

  /** Ends; `holdPipes`: as if a background child kept the output open. */
  exit(code: number | string, holdPipes = false): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#exit(typeof code === 'number' ? { code, signal: null } : { code: null, signal: code });
    if (!holdPipes) this.stopReading();
  }

  stopReading(): void {
    this.stdout.end();
    this.stderr.end();
  }

  signalGroup(signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
    const exists = this.#alive || this.survivors > 0;
    if (signal === 0 || !exists) return exists;
    this.signals.push(signal);
    if (signal === 'SIGKILL') this.survivors = 0;
    if (signal === 'SIGKILL' || !this.ignoresTerm) this.exit(signal);
    return true;
  }
}

/** Launches scripted processes, and samples them. */
export class ScriptedLauncher implements ProcessLauncher, ProcessSampler {
  /** In order of launch. */
  readonly launched: ScriptedProcess[] = [];
  readonly users = new Map<string, UserInfo>();
  readonly groups = new Map<string, number>();
  /** Markers whose strays were to be killed. */
  readonly swept: string[] = [];
  /** Pids outside the groups of their runs, which nothing kills. */
  strays: number[] = [];
  /** Samples by pid; a pid without an entry counts as gone. */
  readonly samples = new Map<number, TreeSample>();
  /** Set: the next launch fails with this text. */
  failure: string | undefined;
  /** Called with each new process before the launch is acknowledged. */
  onLaunch: (process: ScriptedProcess) => void = () => undefined;
  #waiting: { count: number; resolve: () => void }[] = [];

  launch(spec: ProcessSpec): Promise<RunningProcess> {
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) return Promise.reject(new SpawnError(failure, 'ENOENT'));
    const process = new ScriptedProcess(1000 + this.launched.length, spec);
    this.launched.push(process);
    this.onLaunch(process);
    this.#waiting = this.#waiting.filter(({ count, resolve }) => {
      if (this.launched.length < count) return true;
      resolve();
      return false;
    });
    return Promise.resolve(process);
  }

  /** The n-th process, counted from 1, as soon as it is launched. */
  async process(count = 1): Promise<ScriptedProcess> {
    if (this.launched.length < count) {
      await new Promise<void>((resolve) => void this.#waiting.push({ count, resolve }));
    }
    const process = this.launched[count - 1];
    if (process === undefined) throw new Error('not launched');
    return process;
  }

  resolveUser(user: string | number): Promise<UserInfo | undefined> {
    return Promise.resolve(this.users.get(String(user)));
  }

  resolveGroup(group: string | number): Promise<number | undefined> {
    return Promise.resolve(this.groups.get(String(group)));
  }

  killStrays(marker: string, match: 'exact' | 'prefix' = 'exact'): Promise<number> {
    this.swept.push(match === 'exact' ? marker : `${marker}*`);
    return Promise.resolve(this.strays.length);
  }

  findStrays(): Promise<number[]> {
    return Promise.resolve([...this.strays]);
  }

  sample(pids: readonly number[]): Promise<Map<number, TreeSample>> {
    const found = new Map<number, TreeSample>();
    for (const pid of pids) {
      const sample = this.samples.get(pid);
      if (sample !== undefined) found.set(pid, sample);
    }
    return Promise.resolve(found);
  }
}
