import type { DeliveryRow, HistoryRow, JobFields, RunRef } from '@carillon/contract';
import {
  type ActivityEntry,
  type Change,
  type ClaimOutcome,
  type ClusterState,
  FencedError,
  type Page,
  type PastChange,
  type PastList,
  type Revocation,
  type RunClaims,
  type Session,
  type Store,
  type StoreUpkeep,
} from '@carillon/core';
import { CommitSequence, LostCommitError } from './commit-sequence.js';
import type { MemoryStoreBoard } from './memory-store-board.js';
import { rebuildState } from './stored-state.js';
import { MemoryStoreUpkeep } from './upkeep/memory-store-upkeep.js';

/** When in a commit the failure strikes: the changes are lost, or applied although the commit rejects. */
export type FailureMoment = 'before' | 'after';

/** The store over a shared board: one instance per node. See `Store` for the guarantees. */
export class MemoryStore implements Store {
  readonly upkeep: StoreUpkeep;
  readonly #board: MemoryStoreBoard;
  #sequence: CommitSequence | undefined;
  #nextFailure: { error: Error; moment: FailureMoment } | undefined;
  #repeatNext = false;
  #outage: Error | undefined;

  constructor(board: MemoryStoreBoard) {
    this.#board = board;
    this.upkeep = new MemoryStoreUpkeep(board, (session) => this.#reach(session));
  }

  /** The next commit rejects with the error, before or after its changes were applied. */
  failNextCommit(error: Error, moment: FailureMoment): void {
    this.#nextFailure = { error, moment };
  }

  /** The next commit reaches the board twice, as after a lost reply. */
  repeatNextCommit(): void {
    this.#repeatNext = true;
  }

  /** From now on every call of this instance rejects with the error; undefined ends the outage. */
  setOutage(error: Error | undefined): void {
    this.#outage = error;
  }

  async load(session: Session): Promise<ClusterState> {
    this.#reach(session);
    const name = this.#board.begin(session.term);
    if (name === 'FENCED') throw new FencedError(session.term);
    this.#sequence = new CommitSequence(session.term, name);
    return rebuildState(this.#board.read(), () => Promise.resolve());
  }

  async commit(session: Session, changes: readonly Change[]): Promise<void> {
    const sequence = this.#sequenceOf(session);
    const number = sequence.take();
    const failure = this.#nextFailure;
    this.#nextFailure = undefined;
    if (this.#outage !== undefined) throw sequence.fail(this.#outage);
    if (failure?.moment === 'before') throw sequence.fail(failure.error);
    const { term, session: name } = sequence;
    const first = this.#board.commit(term, name, number, changes);
    const answer = this.#repeatNext ? this.#board.commit(term, name, number, changes) : first;
    this.#repeatNext = false;
    if (failure?.moment === 'after') throw sequence.fail(failure.error);
    const refusal = sequence.judge(answer);
    if (refusal !== undefined) throw refusal;
  }

  async revoke(session: Session, run: RunRef): Promise<Revocation> {
    this.#reach(session);
    if (!this.#board.isPresent(session.term)) throw new FencedError(session.term);
    return this.#board.revoke(run);
  }

  async stage(
    session: Session,
    stage: string,
    piece: number,
    changes: readonly PastChange[],
  ): Promise<number> {
    this.#reach(session);
    if (!this.#board.isPresent(session.term)) throw new FencedError(session.term);
    this.#board.transfers.stage(stage, piece, changes);
    return JSON.stringify(changes).length;
  }

  async unstage(stage: string): Promise<void> {
    this.#reach();
    this.#board.transfers.unstage(stage);
  }

  async readCopy(copy: string, from: PastList, offset: number, limit: number): Promise<Page<object>> {
    this.#reach();
    return page(this.#board.transfers.copied(copy, from), offset, limit);
  }

  async readJob(id: string): Promise<JobFields | undefined> {
    this.#reach();
    return this.#board.readJob(id);
  }

  async readHistory(event: string | undefined, offset: number, limit: number): Promise<Page<HistoryRow>> {
    this.#reach();
    return page(this.#board.history(event), offset, limit);
  }

  async readActivity(offset: number, limit: number): Promise<Page<ActivityEntry>> {
    this.#reach();
    return page(this.#board.activity(), offset, limit);
  }

  async readDeliveries(offset: number, limit: number): Promise<Page<DeliveryRow>> {
    this.#reach();
    return page(this.#board.deliveryRows(), offset, limit);
  }

  async checkHealth(): Promise<void> {
    this.#reach();
  }

  #reach(session?: Session): void {
    if (session?.signal.aborted) throw new FencedError(session.term);
    if (this.#outage !== undefined) throw this.#outage;
  }

  #sequenceOf(session: Session): CommitSequence {
    if (session.signal.aborted) throw new FencedError(session.term);
    const sequence = this.#sequence;
    if (sequence?.term === session.term) return sequence;
    if (sequence !== undefined && sequence.term > session.term) throw new FencedError(session.term);
    throw new LostCommitError('the state of this term has not been loaded');
  }
}

/** Claims over a shared board. See `RunClaims` for the guarantees. */
export class MemoryRunClaims implements RunClaims {
  readonly #board: MemoryStoreBoard;

  constructor(board: MemoryStoreBoard) {
    this.#board = board;
  }

  async claim(run: RunRef, worker: { node: string; boot: string; nonce: string }): Promise<ClaimOutcome> {
    return this.#board.claim(run, worker);
  }

  async isCurrent(run: RunRef): Promise<boolean> {
    return this.#board.isCurrent(run);
  }
}

function page<T>(list: readonly T[], offset: number, limit: number): Page<T> {
  return { rows: structuredClone(list.slice(offset, offset + limit)), length: list.length };
}
