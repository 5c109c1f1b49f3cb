import { type ApiCallName, CarillonError } from '@carillon/contract';
import {
  type Caller,
  isLimited,
  type Logger,
  requireChainScope,
  requireScope,
  type ScopedObject,
} from '@carillon/core';
import type { Origin } from '../../accounts/index.js';
import type { Office } from '../../office.js';
import type { GivenCredential } from '../authenticate.js';

/** What a handler works with. Parameters are checked, credentials removed, privileges of the call granted. */
export interface CallContext {
  readonly office: Office;
  /** Anonymous where the call needs no credential. */
  readonly caller: Caller;
  /** Unchecked where the call needs none. */
  readonly credential: GivenCredential | undefined;
  readonly origin: Origin;
  readonly params: Readonly<Record<string, unknown>>;
  /** Wall clock, Unix milliseconds. */
  readonly nowMs: number;
  readonly log: Logger;
}

/** A log as answer: text, whole or so far. */
export interface LogReply {
  readonly job: string;
  /** True: the bytes are gzip-compressed. */
  readonly gzip: boolean;
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly download: boolean;
}

/** A JSON text, or a log. */
export type CallReply = string | LogReply;
/** Answers one call. Throws CarillonError for what is refused. */
export type CallHandler = (context: CallContext) => CallReply | Promise<CallReply>;
export type CallHandlers = Partial<Record<ApiCallName, CallHandler>>;

/** Throws CarillonError when the caller's category or group limits exclude the object (behaviour reference 2.5). */
export function requireScopeOf(
  { office, caller }: Pick<CallContext, 'office' | 'caller'>,
  object: ScopedObject,
): void {
  if (isLimited(caller)) requireScope(caller, object, office.state, office.hostnames());
}

/** Throws CarillonError when an event that the fields chain to is beyond the caller's limits. */
export function requireChainScopeOf(
  { office, caller }: Pick<CallContext, 'office' | 'caller'>,
  fields: Readonly<Record<string, unknown>>,
): void {
  if (isLimited(caller)) requireChainScope(caller, fields, office.state, office.hostnames());
}

/** A parameter that the call's schema made a text; '' when absent. */
export function textParam(params: Readonly<Record<string, unknown>>, name: string): string {
  const value = Object.hasOwn(params, name) ? params[name] : undefined;
  return typeof value === 'string' ? value : '';
}

/**
 * Result of a read from the store. Throws CarillonError `unavailable` when the store cannot be reached, and logs
 * the reason.
 */
export async function fromStore<T>(context: CallContext, read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof CarillonError) throw error;
    context.log.log('warn', 'A read from the store failed', { error: String(error) });
    throw new CarillonError(
      'unavailable',
      'The store cannot be reached at the moment. Please repeat the request.',
    );
  }
}
