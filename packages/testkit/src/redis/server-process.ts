import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A redis-server process; the lines of its log are the events that tests wait for. */
export class ServerProcess {
  readonly #args: readonly string[];
  readonly #through: readonly string[];
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();
  #child: ChildProcess | undefined;

  /** `through`: command that runs it elsewhere. */
  constructor(args: readonly string[], through: readonly string[] = []) {
    this.#args = args;
    this.#through = through;
  }

  /** Runs it; resolves when its log says the given. Rejects when it ends before. */
  async start(until: RegExp = /ready to accept connections/i): Promise<void> {
    const server = process.env['CARILLON_REDIS_SERVER'] ?? 'redis-server';
    const [program = server, ...args] = [...this.#through, server, ...this.#args];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    // A test run that dies leaves no server behind.
    const killed = (): void => void child.kill('SIGKILL');
    process.once('exit', killed);
    child.once('exit', () => process.removeListener('exit', killed));
    createInterface({ input: child.stdout }).on('line', (line) => this.#onLine(line));
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`redis-server ended with code ${code}`)));
    });
    await Promise.race([this.waitForLines(until, 1, this.mark()), failed]);
  }

  /** What has been logged so far, for waits that are about what comes later. */
  mark(): number {
    return this.#lines.length;
  }

  /** Resolves when so many lines since a mark match. */
  waitForLines(matching: RegExp, count: number, since = 0): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#lines.slice(since).filter((line) => matching.test(line)).length < count) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  #onLine(line: string): void {
    this.#lines.push(line);
    for (const look of [...this.#waiting]) look();
  }
}
