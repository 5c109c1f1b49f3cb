import { FencedError } from '@carillon/core';

/**
 * A commit was refused because an earlier one of the same session is missing, or is not known to have been applied.
 * Nothing of the refused commit was written.
 */
export class LostCommitError extends Error {
  constructor(reason: string) {
    super(`The write was refused: ${reason}`);
    this.name = 'LostCommitError';
  }
}

/** The commits of one loaded session: numbers them in the order of the calls and remembers the first failure. */
export class CommitSequence {
  readonly term: number;
  /** Name given by the store; other loads of the same term have other names. */
  readonly session: string;
  #last = 0;
  #failure: Error | undefined;

  constructor(term: number, session: string) {
    this.term = term;
    this.session = session;
  }

  /** Number of the next commit, from 1. Throws FencedError or LostCommitError after a failure. */
  take(): number {
    if (this.#failure instanceof FencedError) throw new FencedError(this.term);
    if (this.#failure !== undefined)
      throw new LostCommitError(`an earlier write failed (${this.#failure.message})`);
    this.#last += 1;
    return this.#last;
  }

  /** Refuses all later commits; answers the failure, ready to be thrown. */
  fail(error: unknown): Error {
    const failure = error instanceof Error ? error : new Error(String(error));
    this.#failure ??= failure;
    return failure;
  }

  /** What an answer of the commit step means: undefined = applied, otherwise the error to throw. */
  judge(answer: unknown): Error | undefined {
    if (answer === 'OK') return undefined;
    if (answer === 'FENCED') return this.fail(new FencedError(this.term));
    if (answer === 'GAP')
      return this.fail(new LostCommitError('an earlier write of this session is missing'));
    return this.fail(new Error(`The store gave an unknown answer: ${String(answer)}`));
  }
}
