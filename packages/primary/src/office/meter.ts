import type { ActiveJob, Change, ClusterState, EndKind, Session } from '@carillon/core';
import type { JobFields } from '@carillon/contract';

/**
 * Who counts what a primary does. Everything is told in the order in which it happened, and only what is durable. Called
 * synchronously in the way of jobs: an implementation is quick and never throws.
 */
export interface Meter {
  /** A term begins with this state; called before anything of the term is told. */
  onTerm(session: Session, state: ClusterState): void;
  /** A commit was confirmed `tookMs` after it was handed to the store; an empty one only asked for confirmation. */
  onCommit(changes: readonly Change[], tookMs: number): void;
  /** A commit was refused, or its outcome is unknown. */
  onCommitFailed(): void;
  /** The primary hears of the process of a run for the first time in its term. */
  onStarted(job: ActiveJob): void;
  /** A job has ended for good. */
  onEnded(record: JobFields, kind: EndKind): void;
  /** A failed attempt is followed by another one. */
  onRetry(): void;
}

const ignore = (): void => undefined;

/** Counts nothing. */
export const idleMeter: Meter = {
  onTerm: ignore,
  onCommit: ignore,
  onCommitFailed: ignore,
  onStarted: ignore,
  onEnded: ignore,
  onRetry: ignore,
};
