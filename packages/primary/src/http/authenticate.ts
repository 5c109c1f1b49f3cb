import { type ApiCall, CarillonError } from '@carillon/contract';
import {
  anonymous,
  type Caller,
  type Credential,
  type Digest,
  identify,
  sessionOverText,
} from '@carillon/core';
import type { Office } from '../office.js';
import { textOf } from './request/target.js';

/** The credential of a request, as it came. */
export interface GivenCredential extends Credential {
  text: string;
}

/** Texts that may be credentials, in the order of their weight. */
export interface CredentialTexts {
  /** Header, body, query. */
  sessions: readonly string[];
  keys: readonly string[];
}

/**
 * What a request proves itself with: the first session id that is not empty, else the first key (behaviour reference
 * 1.7). Undefined when there is none. There is no cookie among them: a request that another site makes a browser send
 * carries no credential.
 */
export function readCredential(texts: CredentialTexts, digest: Digest): GivenCredential | undefined {
  const session = texts.sessions.find((text) => text !== '');
  if (session !== undefined) return { kind: 'session', hash: digest.sha256(session), text: session };
  const key = texts.keys.find((text) => text !== '');
  return key === undefined ? undefined : { kind: 'api_key', hash: digest.sha256(key), text: key };
}

/** What a token in the query stands for; undefined when there is none. Throws CarillonError `auth` for a bad one. */
export function tokenCredential(
  call: ApiCall,
  query: Readonly<Record<string, unknown>>,
  office: Office,
): GivenCredential | undefined {
  const token = call.acceptsToken ? textOf(query, 't') : '';
  if (token === '') return undefined;
  return { ...office.logTokens.redeem(textOf(query, 'id'), token), text: '' };
}

/** Throws CarillonError when the call needs a credential and there is none, or not one of its kind. */
export function callerOf(
  call: ApiCall,
  credential: GivenCredential | undefined,
  office: Office,
  nowMs: number,
): Caller {
  if (call.auth === 'none') return anonymous;
  if (call.auth === 'session' && credential?.kind !== 'session') {
    throw new CarillonError('session', sessionOverText);
  }
  return identify(credential, office.state, Math.floor(nowMs / 1000));
}
