import type { ClusterState, DueLaunch } from '@carillon/core';

/** What happened so far in one tick, event by event. */
export class TickRound {
  /** Catch-up events that could not launch everything, with the minute they are done up to. */
  readonly lagging = new Map<string, number>();
  readonly #state: ClusterState;
  readonly #launched = new Set<string>();
  /** Events of which something was refused: order matters more than the rest of the round. */
  readonly #blocked = new Set<string>();

  constructor(state: ClusterState) {
    this.#state = state;
  }

  hasLaunched(event: string): boolean {
    return this.#launched.has(event);
  }

  /** True for a launch that must wait behind one that was refused; a catch-up event then lags from here on. */
  isBlocked(due: DueLaunch): boolean {
    if (!this.#blocked.has(due.event)) return false;
    this.#lag(due);
    return true;
  }

  onLaunched(event: string): void {
    this.#launched.add(event);
  }

  onRefused(due: DueLaunch): void {
    if (!this.#state.events.get(due.event)?.catch_up) return;
    this.#blocked.add(due.event);
    this.#lag(due);
  }

  /** A minute to redo stays in its own list and does not hold the cursor back. */
  #lag({ event, minute, redo }: DueLaunch): void {
    if (redo === undefined && !this.lagging.has(event)) this.lagging.set(event, minute - 60);
  }
}
