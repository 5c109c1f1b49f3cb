import type { AbortKind } from '@carillon/contract';
import type { Clock, Logger, ProcessLauncher } from '@carillon/core';
import type { HeldRun } from './held-run.js';
import { runMarker } from './prepare.js';

const lookAgainMs = 50;
/** How long processes that got SIGKILL may take to vanish. */
const killSettleMs = 2000;

export interface AbortDeps {
  clock: Clock;
  launcher: ProcessLauncher;
  logger: Logger;
  node: string;
  killTimeoutMs: number;
  /** A run has got a reason to end; called before anything is done about it. */
  onRequested: (run: HeldRun) => void;
}

/**
 * Ends runs: SIGTERM to the whole process group, SIGKILL to what is left of it after the kill timeout (behaviour
 * reference 5.10, applied to the whole tree). The first reason stays; repeats are harmless.
 */
export class AbortService {
  readonly #deps: AbortDeps;

  constructor(deps: AbortDeps) {
    this.#deps = deps;
  }

  /** Ends a run, also one whose process is still to be started: then none will be. */
  request(run: HeldRun, kind: AbortKind, reason: string): void {
    if (run.abort !== undefined) return;
    run.abort = { kind, reason };
    const { event } = run.job;
    this.#deps.logger.log('info', 'A run is being aborted', { ...run.ref, event, pid: run.pid, reason });
    this.#deps.onRequested(run);
    if (run.process !== undefined) this.terminate(run);
  }

  /** Signals the started process of a run that is being aborted. */
  terminate(run: HeldRun): void {
    run.process?.signalGroup('SIGTERM');
    run.cancelKill ??= this.#deps.clock.after(this.#deps.killTimeoutMs, () => {
      run.killed = true;
      run.process?.signalGroup('SIGKILL');
    });
  }

  /**
   * Resolves when nothing of an aborted run is left, after its first process has gone: the others of its group get
   * the rest of the kill timeout; whoever has left the group is found by its environment and killed.
   */
  async sweep(run: HeldRun): Promise<void> {
    const { clock, launcher, logger, node } = this.#deps;
    let killedAtMs: number | undefined;
    while (run.process?.signalGroup(0) === true) {
      if (run.killed) killedAtMs ??= clock.monotonicMs();
      if (killedAtMs !== undefined && clock.monotonicMs() - killedAtMs > killSettleMs) break;
      await new Promise<void>((resolve) => void clock.after(lookAgainMs, resolve));
    }
    run.cancelKill?.();
    const strays = await launcher.killStrays(runMarker(node, run)).catch(() => 0);
    if (strays > 0) logger.log('warn', 'Processes outside their group were killed', { ...run.ref, strays });
    const isGroupAlive = run.process?.signalGroup(0) === true;
    if (strays === 0 && !isGroupAlive) return;
    const survivors = await this.#survivors(run, isGroupAlive ? [run.pid] : []);
    if (survivors.length === 0) return;
    logger.log('error', 'Processes of an aborted run survive SIGKILL', { ...run.ref, survivors });
    run.remarks.push(`Processes of this job are still alive: ${survivors.join(', ')}`);
  }

  /** Pids that are there for longer than the system needs to end a killed process; `group` when it cannot tell. */
  async #survivors(run: HeldRun, group: readonly number[]): Promise<number[]> {
    const { clock, launcher, node } = this.#deps;
    const untilMs = clock.monotonicMs() + killSettleMs;
    for (;;) {
      const found = await launcher.findStrays(runMarker(node, run)).catch(() => []);
      if (found.length === 0) return run.process?.signalGroup(0) === true ? [...group] : [];
      if (clock.monotonicMs() >= untilMs) return found;
      await new Promise<void>((resolve) => void clock.after(lookAgainMs, resolve));
    }
  }
}
