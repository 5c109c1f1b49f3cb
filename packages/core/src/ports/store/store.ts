import type { DeliveryRow, HistoryRow, JobFields, RunRef } from '@carillon/contract';
import type { Change, PastChange, PastList } from '../../state/change.js';
import type { ClusterState } from '../../state/cluster-state.js';
import type { Session } from '../lease.js';
import type { StoreUpkeep } from './store-upkeep.js';

/** A write was refused because the session's term is over. Nothing was written. */
export class FencedError extends Error {
  constructor(term: number) {
    super(`Term ${term} is over: this node is no longer the primary`);
    this.name = 'FencedError';
  }
}

/** One page of a list, newest first; `length` is that of the whole list. */
export interface Page<T> {
  rows: T[];
  length: number;
}

export interface ActivityEntry {
  action: string;
  /** Unix seconds. */
  epoch: number;
  [key: string]: unknown;
}

/** `claimed`: too late, a worker of that boot has it. `absent`: no such run. */
export type Revocation = { kind: 'revoked' } | { kind: 'claimed'; boot: string } | { kind: 'absent' };

/**
 * Durable truth, written by the primary alone.
 *
 * Commits are applied strictly in the order of the calls, each whole or not at all, and exactly once even
 * when a reply is lost and the store repeats the request: after a failed commit all later ones of the same
 * session fail too. So memory that applied changes before their commit was acknowledged must be
 * dropped when any commit rejects.
 */
export interface Store {
  /** Everything the primary keeps in memory; starts the session's sequence of commits. Throws FencedError. */
  load(session: Session): Promise<ClusterState>;
  /** Applies all changes atomically, or throws FencedError, or another error when the outcome is unknown. */
  commit(session: Session, changes: readonly Change[]): Promise<void>;
  /**
   * Puts changes aside that a later commit applies as a whole (`staged`), so that it may be larger than one request. Until
   * then they are not seen, and a stage to which nothing is added for an hour is forgotten. Pieces count from 0; a repeated one replaces
   * itself. Answers how many characters were put aside: the commit takes the longer the more there are. Throws FencedError.
   */
  stage(session: Session, stage: string, piece: number, changes: readonly PastChange[]): Promise<number>;
  /** Forgets what was put aside. */
  unstage(stage: string): Promise<void>;
  /**
   * Rows of a list as it was when it was copied (`copy-lists`), newest first: `offset` ≥ 0, `limit` ≥ 1. A copy is kept
   * for an hour; afterwards it is empty.
   */
  readCopy(copy: string, from: PastList, offset: number, limit: number): Promise<Page<object>>;
  /** Takes a dispatched run back so that it can never be claimed. Throws FencedError. */
  revoke(session: Session, run: RunRef): Promise<Revocation>;
  /** A completed job, while its record is kept. */
  readJob(id: string): Promise<JobFields | undefined>;
  /** History rows of one event, or of all events; `offset` ≥ 0, `limit` ≥ 1. */
  readHistory(event: string | undefined, offset: number, limit: number): Promise<Page<HistoryRow>>;
  readActivity(offset: number, limit: number): Promise<Page<ActivityEntry>>;
  /** Records of web hooks and e-mails that are over. */
  readDeliveries(offset: number, limit: number): Promise<Page<DeliveryRow>>;
  /** Retention. */
  readonly upkeep: StoreUpkeep;
  /** Resolves when the store answers and accepts writes, throws with the reason otherwise. */
  checkHealth(): Promise<void>;
}

export type ClaimOutcome =
  /** The run is now this worker's; `job` is as dispatched or updated since. */
  | { claimed: true; job: JobFields }
  /** Already claimed, revoked, another attempt, or unknown: do not start a process. */
  | { claimed: false; reason: string };

/** The only things a worker may ask of the store. */
export interface RunClaims {
  /**
   * Takes a run for this worker: compare-and-set from dispatched-to-this-node to claimed. At most one call
   * for a (job, attempt) ever gets `claimed: true` — also when a reply is lost and the call is repeated by
   * another boot. Repeated by the same boot it answers `claimed: true` again only for the same `nonce`.
   */
  claim(run: RunRef, worker: { node: string; boot: string; nonce: string }): Promise<ClaimOutcome>;
  /**
   * True while this attempt is claimed, by whomever: false before, and for good once the job has ended, has gone on with
   * another attempt, or waits for one.
   */
  isCurrent(run: RunRef): Promise<boolean>;
}
