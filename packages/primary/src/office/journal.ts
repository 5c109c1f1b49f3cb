import { CarillonError } from '@carillon/contract';
import {
  ActivityRation,
  type Change,
  type Clock,
  type ClusterState,
  FencedError,
  redactRecord,
  type Session,
  type Store,
} from '@carillon/core';
import type { Meter } from './meter.js';

/** Who measures the writes, and by which clock. */
export interface WriteMeasure {
  clock: Pick<Clock, 'monotonicMs'>;
  meter: Pick<Meter, 'onCommit' | 'onCommitFailed'>;
}

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
  readonly #measure: WriteMeasure;
  readonly #ration = new ActivityRation();
  readonly #observers: ((changes: readonly Change[]) => void)[] = [];
  readonly #durableObservers: ((changes: readonly Change[]) => void)[] = [];

  constructor(
    store: Store,
    session: Session,
    state: ClusterState,
    onFailure: (reason: string) => void,
    measure: WriteMeasure,
  ) {
    this.#store = store;
    this.#session = session;
    this.#state = state;
    this.#onFailure = onFailure;
    this.#measure = measure;
  }

  /** Calls after changes were applied to memory, before they are durable. */
  observe(observer: (changes: readonly Change[]) => void): void {
    this.#observers.push(observer);
  }

  /** Calls with the changes of each commit once they are durable. */
  observeDurable(observer: (changes: readonly Change[]) => void): void {
    this.#durableObservers.push(observer);
  }

  /** Resolves when all changes are durable. Throws CarillonError `unavailable` otherwise. */
  commit(changes: readonly Change[]): Promise<void> {
    return this.transact((apply) => apply(changes));
  }

  /**
   * One commit of several steps, each planned against a memory that holds the steps before it. `plan` runs at once and
   * must not wait for anything. Answers what it returned, when all steps are durable; throws CarillonError
   * `unavailable` otherwise.
   */
  async transact<T>(plan: (apply: (changes: readonly Change[]) => void) => T): Promise<T> {
    if (this.#session.signal.aborted) throw unavailable();
    const changes: Change[] = [];
    const result = this.#applySteps(plan, changes);
    if (changes.length === 0) return result;
    await this.#write(changes);
    for (const observer of this.#durableObservers) observer(changes);
    return result;
  }

  /**
   * Resolves when all that memory holds now is durable and no other node is the primary: what is not in memory does not
   * exist then. Throws CarillonError `unavailable` otherwise.
   */
  async confirm(): Promise<void> {
    if (this.#session.signal.aborted) throw unavailable();
    await this.#write([]);
  }

  async #write(changes: readonly Change[]): Promise<void> {
    const { clock, meter } = this.#measure;
    const begunAtMs = clock.monotonicMs();
    try {
      await this.#store.commit(this.#session, changes);
    } catch (error) {
      meter.onCommitFailed();
      const cause = error instanceof FencedError ? 'another node is the primary' : String(error);
      this.#onFailure(`a write was not confirmed: ${cause}`);
      throw unavailable();
    }
    meter.onCommit(changes, clock.monotonicMs() - begunAtMs);
  }

  /** The activity log holds no credentials, and the same trouble a limited number of times. */
  #admit(change: Change): Change[] {
    if (change.type !== 'activity') return [change];
    const entry = this.#ration.admit(redactRecord(change.entry), this.#measure.clock.monotonicMs());
    return entry === undefined ? [] : [{ ...change, entry }];
  }

  #applySteps<T>(plan: (apply: (changes: readonly Change[]) => void) => T, all: Change[]): T {
    try {
      return plan((wanted) => {
        const changes = wanted.flatMap((change) => this.#admit(change));
        for (const change of changes) {
          this.#state.applyChange(change);
          all.push(change);
        }
        if (changes.length > 0) for (const observer of this.#observers) observer(changes);
      });
    } catch (error) {
      // Steps in memory that will never be stored.
      if (all.length > 0) this.#onFailure(`a plan failed half-way: ${String(error)}`);
      throw error;
    }
  }
}

const unavailable = () =>
  new CarillonError(
    'unavailable',
    'The primary is changing; the request was not confirmed. Please repeat it.',
  );
