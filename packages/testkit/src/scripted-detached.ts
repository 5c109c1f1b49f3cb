import {
  type DetachedEntry,
  type DetachedLauncher,
  type DetachedNotes,
  type DetachedProcess,
  type OutputOffsets,
  type ProcessExit,
  type ProcessSpec,
  SpawnError,
} from '@carillon/core';
import { HandFed } from './scripted-process.js';

/** A program that does what a test says, whoever follows it. */
export class ScriptedProgram {
  readonly pid: number;
  readonly spec: ProcessSpec;
  notes: DetachedNotes;
  /** Signals received, without questions whether it is there. */
  readonly signals: string[] = [];
  /** True: SIGTERM does not end it. */
  ignoresTerm = false;
  readonly output = { stdout: '', stderr: '' };
  end: ProcessExit | undefined;
  readonly #followers = new Set<ScriptedFollower>();

  constructor(pid: number, spec: ProcessSpec, notes: DetachedNotes) {
    this.pid = pid;
    this.spec = spec;
    this.notes = notes;
  }

  /** Somebody follows it. */
  get isFollowed(): boolean {
    return this.#followers.size > 0;
  }

  /** Nobody hears of it any more, and those who followed it are not told either. */
  abandon(): void {
    this.#followers.clear();
  }

  /** Writes to standard output. */
  say(text: string): void {
    this.output.stdout += text;
    for (const follower of this.#followers) follower.stdout.give(text);
  }

  /** Writes to standard error. */
  complain(text: string): void {
    this.output.stderr += text;
    for (const follower of this.#followers) follower.stderr.give(text);
  }

  exit(code: number | string, atMs?: number): void {
    const end = typeof code === 'number' ? { code, signal: null } : { code: null, signal: code };
    this.end ??= atMs === undefined ? end : { ...end, atMs };
    for (const follower of this.#followers) follower.finish(this.end);
  }

  follow(from: OutputOffsets): DetachedProcess {
    const follower = new ScriptedFollower(this, () => this.#followers.delete(follower));
    this.#followers.add(follower);
    for (const stream of ['stdout', 'stderr'] as const) {
      const rest = this.output[stream].slice(from[stream]);
      if (rest !== '') follower[stream].give(rest);
    }
    if (this.end !== undefined) follower.finish(this.end);
    return follower;
  }

  signal(signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
    if (this.end !== undefined) return false;
    if (signal === 0) return true;
    this.signals.push(signal);
    if (signal === 'SIGKILL' || !this.ignoresTerm) this.exit(signal);
    return true;
  }
}

class ScriptedFollower implements DetachedProcess {
  readonly pid: number;
  readonly stdout = new HandFed();
  readonly stderr = new HandFed();
  readonly exited: Promise<ProcessExit>;
  readonly #program: ScriptedProgram;
  readonly #leave: () => void;
  #exit: (exit: ProcessExit) => void = () => undefined;

  constructor(program: ScriptedProgram, leave: () => void) {
    this.pid = program.pid;
    this.#program = program;
    this.#leave = leave;
    this.exited = new Promise((resolve) => {
      this.#exit = resolve;
    });
  }

  finish(end: ProcessExit): void {
    this.#leave();
    this.#exit(end);
    this.stopReading();
  }

  stopReading(): void {
    this.stdout.end();
    this.stderr.end();
  }

  letGo(): void {
    this.#leave();
    this.stopReading();
  }

  signalGroup(signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
    return this.#program.signal(signal);
  }
}

/** Launches scripted programs that outlive the workers of a test. ASCII output only. */
export class ScriptedDetached implements DetachedLauncher {
  /** In order of launch, also those removed since. */
  readonly launched: ScriptedProgram[] = [];
  /** Kept, by name. */
  readonly kept = new Map<string, ScriptedProgram>();
  /** Set: the next launch fails with this text. */
  failure: string | undefined;
  #waiting: { count: number; resolve: () => void }[] = [];
  #crashes = 0;

  /** For a worker that `crash` ends: nothing it does afterwards has an effect. */
  open(): DetachedLauncher {
    const crashes = this.#crashes;
    const ifAlive = async (act: () => Promise<void>): Promise<void> =>
      crashes === this.#crashes ? act() : undefined;
    return {
      launch: (spec, notes) => this.launch(spec, notes),
      list: () => this.list(),
      adopt: (name, from) => this.adopt(name, from),
      recorded: (name, stream, endBytes) => this.recorded(name, stream, endBytes),
      keepNote: (name, kind, text) => ifAlive(() => this.keepNote(name, kind, text)),
      remove: (name) => ifAlive(() => this.remove(name)),
    };
  }

  /** The worker is gone in the middle of whatever it does; the programs are not. */
  crash(): void {
    this.#crashes += 1;
    for (const program of this.launched) program.abandon();
  }

  async launch(spec: ProcessSpec, notes: DetachedNotes): Promise<DetachedProcess> {
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw new SpawnError(failure, 'ENOENT');
    if (this.kept.has(spec.name)) throw new SpawnError('launched already', 'EEXIST');
    const program = new ScriptedProgram(2000 + this.launched.length, spec, { ...notes });
    this.launched.push(program);
    this.kept.set(spec.name, program);
    this.#waiting = this.#waiting.filter(({ count, resolve }) => {
      if (this.launched.length < count) return true;
      resolve();
      return false;
    });
    return program.follow({ stdout: 0, stderr: 0 });
  }

  /** The n-th program, counted from 1, as soon as it is launched. */
  async program(count = 1): Promise<ScriptedProgram> {
    if (this.launched.length < count) {
      await new Promise<void>((resolve) => void this.#waiting.push({ count, resolve }));
    }
    const program = this.launched[count - 1];
    if (program === undefined) throw new Error('not launched');
    return program;
  }

  async list(): Promise<DetachedEntry[]> {
    return [...this.kept].map(([name, { notes }]) => ({ name, notes: { ...notes } }));
  }

  async adopt(name: string, from: OutputOffsets): Promise<DetachedProcess | undefined> {
    return this.kept.get(name)?.follow(from);
  }

  async *recorded(name: string, stream: keyof OutputOffsets, endBytes: number): AsyncIterable<Uint8Array> {
    yield Buffer.from(this.kept.get(name)?.output[stream].slice(0, endBytes) ?? '');
  }

  async keepNote(name: string, kind: keyof DetachedNotes, text: string): Promise<void> {
    const program = this.kept.get(name);
    if (program !== undefined) program.notes = { ...program.notes, [kind]: text };
  }

  async remove(name: string): Promise<void> {
    this.kept.delete(name);
  }
}
