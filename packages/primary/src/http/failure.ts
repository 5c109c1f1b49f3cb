import { CarillonError } from '@carillon/contract';
import { FencedError, type Logger, type Random } from '@carillon/core';
import type { Office } from '../office.js';

export interface FailureDeps {
  readonly log: Logger;
  readonly random: Random;
}

/**
 * What the client is told about an error. Expected ones stay as they are; those of a term that is over become
 * `unavailable`; anything else becomes `internal` and is logged, once, under a reference the client gets too.
 */
export function toKnownError(
  error: unknown,
  call: string,
  office: Office | undefined,
  { log, random }: FailureDeps,
): CarillonError {
  if (error instanceof CarillonError) return error;
  if (error instanceof FencedError || office?.session.signal.aborted === true) {
    return new CarillonError(
      'unavailable',
      'The primary is changing; the request was not confirmed. Please repeat it.',
    );
  }
  const reference = random.hex(6);
  const details = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  log.log('error', 'An API call failed', { call, reference, error: details });
  return new CarillonError('internal', `Internal error, reference ${reference}`);
}

/** For requests that took longer than their limit; whether they were carried out is open. */
export const tooSlow = (): CarillonError =>
  new CarillonError('unavailable', 'The request took too long. It may or may not have been carried out.');

/** For requests that were passed on to a primary which does not answer; whether they were carried out is open. */
export const unanswered = (): CarillonError =>
  new CarillonError(
    'unavailable',
    'The primary did not answer. The request may or may not have been carried out.',
  );

/** Body of an answer of a node that is not the primary (behaviour reference 1.8). */
export function notPrimaryJson(location?: string): string {
  const description = 'This API call can only be invoked on the master server.';
  return JSON.stringify({ code: 'master', description, ...(location === undefined ? {} : { location }) });
}
