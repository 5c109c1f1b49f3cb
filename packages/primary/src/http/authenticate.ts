import type { Credential, Digest } from '@carillon/core';

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
