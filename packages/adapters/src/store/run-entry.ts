import type { ClaimOutcome, StoredRun } from '@carillon/core';

/** Where a run is, as the claim sees it. */
export interface RunEntry extends StoredRun {
  /** Of the claim; '' before. */
  nonce: string;
}

/**
 * The stored form: a JSON array of strings, `[state, attempt, node]` and for claimed runs also
 * `boot, nonce, Unix seconds of the claim`. The scripts read and write the same form.
 */
export function encodeDispatched(attempt: number, node: string): string {
  return JSON.stringify(['dispatched', String(attempt), node]);
}

/** What the stored form of a claimed run of this attempt starts with. */
export function claimedPrefix(attempt: number): string {
  return `["claimed","${attempt}",`;
}

/** Reads the stored form; undefined when it is not one. */
export function decodeRun(text: string): RunEntry | undefined {
  const parts: unknown = parseJson(text);
  if (!Array.isArray(parts)) return undefined;
  const [state, attemptText, node, boot = '', nonce = '']: unknown[] = parts;
  const attempt = Number(attemptText);
  if (!Number.isInteger(attempt) || typeof node !== 'string') return undefined;
  if (typeof boot !== 'string' || typeof nonce !== 'string') return undefined;
  if (state !== 'dispatched' && state !== 'revoked' && state !== 'claimed') return undefined;
  return { state, attempt, node, boot, nonce };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What can be in the way of a claim. */
export type ClaimObstacle = 'absent' | 'attempt' | 'node' | 'revoked' | 'claimed';

const reasons: Readonly<Record<ClaimObstacle, string>> = {
  absent: 'the job is no longer active',
  attempt: 'another attempt has taken its place',
  node: 'it was given to another worker',
  revoked: 'it was taken back',
  claimed: 'it is already claimed',
};

/** The outcome of a claim that was refused, in words for the log. */
export function refuseClaim(obstacle: unknown): ClaimOutcome {
  for (const [word, reason] of Object.entries(reasons)) {
    if (word === obstacle) return { claimed: false, reason };
  }
  return { claimed: false, reason: `unknown answer ${String(obstacle)}` };
}
