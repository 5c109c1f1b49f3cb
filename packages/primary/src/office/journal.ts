import { CarillonError } from '@carillon/contract';
import { type Change, type ClusterState, FencedError, type Session, type Store } from '@carillon/core';

/**
 * The one way to change the durable state. Changes are applied to memory at once and committed in the same
 * order; when any commit fails the memory may be ahead of the store, so the term is ended and the memory
 * dropped with it (decision 0001).
 */
export class Journal {
  readonly #store: Store;
  readonly #session: Session;
  readonly #state: ClusterState;
  readonly #onFailure: (reason: string) => void;
  readonly #observers: ((changes: readonly Change[]) => void)[] = [];

  constructor(store: Store, session: Session, state: ClusterState, onFailure: (reason: string) => void) {
    this.#store = store;
    this.#session = session;
    this.#state = state;
    this.#onFailure = onFailure;
  }

  /** Calls after changes were applied to memory, before they are durable. */
  observe(observer: (changes: readonly Change[]) => void): void {
    this.#observers.push(observer);
  }

  /** Resolves when all changes are durable. Throws CarillonError `unavailable` otherwise. */
  async commit(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return;
    if (this.#session.signal.aborted) throw unavailable();
    for (const change of changes) this.#state.applyChange(change);
    for (const observer of this.#observers) observer(changes);
    try {
      await this.#store.commit(this.#session, changes);
    } catch (error) {
      const cause = error instanceof FencedError ? 'another node is the primary' : String(error);
      this.#onFailure(`a write was not confirmed: ${cause}`);
      throw unavailable();
    }
  }
}

const unavailable = () =>
  new CarillonError(
    'unavailable',
    'The primary is changing; the request was not confirmed. Please repeat it.',
  );
