import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { processesOf } from './socket-owner.js';

/** A line of a node's structured log. */
export interface LogLine {
  level: string;
  message: string;
  [field: string]: unknown;
}

interface Expectation {
  matches: (line: LogLine) => boolean;
  resolve: (line: LogLine) => void;
  reject: (error: Error) => void;
}

/** Of what a process printed, as much is shown when it ends without being asked to. */
const shownChars = 4_000;

const program = fileURLToPath(new URL('../../../node/bin/carillon.js', import.meta.url));

/** A real `carillon start` process; its log lines are the events that tests wait for. */
export class NodeProcess {
  readonly name: string;
  readonly lines: LogLine[] = [];
  readonly #environment: Record<string, string>;
  readonly #through: readonly string[];
  readonly #expectations = new Set<Expectation>();
  #child: ChildProcess | undefined;
  /** The one that a test has told to end. */
  #asked: ChildProcess | undefined;
  #raw = '';

  /** `through`: command that runs it elsewhere, in the same process. */
  constructor(name: string, environment: Record<string, string>, through: readonly string[] = []) {
    this.name = name;
    this.#environment = environment;
    this.#through = through;
  }

  start(): void {
    const { PATH = '', HOME = '' } = process.env;
    const [command, ...args] = [...this.#through, process.execPath, program, 'start'];
    const child = spawn(command, args, {
      env: { PATH, HOME, CARILLON_LOG_FORMAT: 'json', ...this.#environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.once('close', (code) => this.#onClose(child, code));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#onLine(line));
    }
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** A paused process runs as well. */
  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * The first log line, past or coming, that matches. Rejects when the process fails without being asked to end;
   * otherwise the test's own time limit ends the wait.
   */
  waitForLine(matches: (line: LogLine) => boolean): Promise<LogLine> {
    const past = this.lines.find(matches);
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve, reject) => this.#expectations.add({ matches, resolve, reject }));
  }

  /** Like `waitForLine`, for lines that come from now on. */
  waitForNextLine(matches: (line: LogLine) => boolean): Promise<LogLine> {
    const seen = this.lines.length;
    return this.waitForLine((line) => this.lines.indexOf(line) >= seen && matches(line));
  }

  /** Resolves when the process has ended and everything it printed has been read. */
  async whenEnded(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    await once(child, 'close');
  }

  /** Ends the process at once, without a chance to clean up. */
  async kill9(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Asks for a clean stop and waits for the end; answers the exit code. */
  async stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  /** Waits for the end of a process that ends by itself; answers the exit code. */
  async exited(): Promise<number | null> {
    const child = this.#child;
    if (child !== undefined && this.isRunning) await once(child, 'close');
    return child?.exitCode ?? null;
  }

  /** The signal that ended the process, if one did. */
  get endedBy(): NodeJS.Signals | null {
    return this.#child?.signalCode ?? null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Stops the clock of all processes of the node, but not of its jobs, until `resume`. */
  pause(): void {
    for (const pid of processesOf(this.pid)) sendSignal(pid, 'SIGSTOP');
  }

  /** Ends `pause`; harmless without. */
  resume(): void {
    for (const pid of processesOf(this.pid)) sendSignal(pid, 'SIGCONT');
  }

  /** Everything the process printed, for failure messages. */
  get output(): string {
    return this.#raw;
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null)
      return child?.exitCode ?? null;
    const exited = once(child, 'exit');
    this.#asked = child;
    child.kill(signal);
    await exited;
    return child.exitCode;
  }

  #onClose(child: ChildProcess, code: number | null): void {
    if (code === 0 || code === null || this.#asked === child) return;
    const error = new Error(`${this.name} ended with code ${code}:\n${this.#raw.slice(-shownChars)}`);
    for (const { reject } of this.#expectations) reject(error);
    this.#expectations.clear();
  }

  #onLine(text: string): void {
    this.#raw += `${text}\n`;
    const line = parseLine(text);
    this.lines.push(line);
    for (const expectation of this.#expectations) {
      if (!expectation.matches(line)) continue;
      this.#expectations.delete(expectation);
      expectation.resolve(line);
    }
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

function parseLine(text: string): LogLine {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'message' in value) return value as LogLine;
  } catch {
    // Plain text, such as the greeting or a crash.
  }
  return { level: 'text', message: text };
}
