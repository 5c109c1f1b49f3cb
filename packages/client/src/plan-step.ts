import { ApiError } from './errors.js';
import type { ExchangeOutcome } from './exchange.js';
import { redirectedBase } from './primary-route.js';

/** What to do after one attempt. */
export type Step =
  | { kind: 'done'; fields: Record<string, unknown>; body: Buffer }
  | { kind: 'fail'; error: ApiError }
  /** Repeat there, at once. */
  | { kind: 'redirect'; base: string }
  /** Certainly not processed: anything may be repeated. `afterMs`: as the server asked, else undefined. */
  | { kind: 'again'; reason: string; heard: boolean; hopeless: boolean; afterMs?: number }
  /** May have been processed: only what is harmless may be repeated. */
  | { kind: 'unsure'; reason: string; error?: ApiError };

export interface Attempt {
  base: string;
  path: string;
  /** The call answers text, not JSON. */
  text: boolean;
  allowInsecureRedirect: boolean;
}

/**
 * Decides what an attempt's outcome means (API reference, Redirects; behaviour reference 1.4 and 1.8): a 302 names
 * the primary, `code: "master"` without a location and 503 say that there is none, 429 asks to wait.
 */
export function planStep(outcome: ExchangeOutcome, attempt: Attempt): Step {
  if (outcome.kind === 'unsent') {
    return { kind: 'again', reason: outcome.reason, heard: false, hopeless: outcome.hopeless };
  }
  if (outcome.kind === 'broken') return { kind: 'unsure', reason: outcome.reason };
  const { status } = outcome;
  if (status >= 300 && status < 400) return planRedirect(outcome.header('location'), status, attempt);
  // The log of a job may look like JSON: there only the content type tells an error.
  const mayBeJson = !attempt.text || /json/i.test(outcome.header('content-type'));
  const json = mayBeJson ? parseObject(outcome.body) : undefined;
  const isAnswer =
    json !== undefined && (typeof json['code'] === 'string' || typeof json['code'] === 'number');
  if (isAnswer) return planAnswer(json, outcome);
  if (status === 503 || status === 429) return again(`HTTP ${status}`, outcome.header('retry-after'));
  const error = new ApiError('http', unexpected(outcome, attempt), status);
  if (status === 502 || status === 504) return { kind: 'unsure', reason: `HTTP ${status}`, error };
  if (attempt.text && status === 200) return { kind: 'done', fields: {}, body: outcome.body };
  return { kind: 'fail', error };
}

type Answer = Extract<ExchangeOutcome, { kind: 'answer' }>;

function planAnswer(json: Record<string, unknown>, answer: Answer): Step {
  const code = json['code'];
  if (code === 0) return { kind: 'done', fields: json, body: answer.body };
  const description = typeof json['description'] === 'string' ? json['description'] : `Error ${String(code)}`;
  // Without a location; the description is about the node that was asked.
  if (code === 'master') return again('there is no primary now', answer.header('retry-after'));
  const error = new ApiError(typeof code === 'number' ? code : String(code), description, answer.status);
  // The store may have taken the write although the server could not make sure of it.
  if (code === 'unavailable') return { kind: 'unsure', reason: description, error };
  if (answer.status === 503 || answer.status === 429) return again(description, answer.header('retry-after'));
  return { kind: 'fail', error };
}

function planRedirect(location: string, status: number, attempt: Attempt): Step {
  if (location === '') return again('This node is not the primary and knows none', '');
  const base = redirectedBase(location, attempt.base, attempt.path, attempt.allowInsecureRedirect);
  if (base === undefined) {
    return {
      kind: 'fail',
      error: new ApiError(
        'http',
        `Refusing to follow a redirect from ${attempt.base} to ${location}`,
        status,
      ),
    };
  }
  if (base === attempt.base) return again('The node redirects to itself', '');
  return { kind: 'redirect', base };
}

function again(reason: string, retryAfter: string): Step {
  const seconds = Number(retryAfter);
  const asked = retryAfter !== '' && Number.isFinite(seconds) && seconds >= 0;
  return {
    kind: 'again',
    reason,
    heard: true,
    hopeless: false,
    ...(asked ? { afterMs: seconds * 1000 } : {}),
  };
}

function unexpected(answer: Answer, attempt: Attempt): string {
  const type = answer.header('content-type') || 'no content type';
  return `Unexpected answer from ${attempt.base}${attempt.path} (HTTP ${answer.status}, ${type}): is this a Carillon server?`;
}

/** The object in a JSON text, or undefined. */
export function parseObject(body: Buffer | string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
