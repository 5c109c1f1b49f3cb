import { CarillonError } from '@carillon/contract';
import type { Caller, ClusterState, Digest } from '@carillon/core';

/**
 * Who calls, by the API key given as header, in the body or in the query: the first that is not empty. Throws
 * CarillonError with the texts of behaviour reference 1.7, without repeating the key: `session` when there is
 * none, `api` when it is unknown or disabled.
 */
export function authenticate(keys: readonly string[], state: ClusterState, digest: Digest): Caller {
  const key = keys.find((text) => text !== '');
  if (key === undefined) throw new CarillonError('session', 'No Session ID or API Key could be found');
  const record = state.keyByHash(digest.sha256(key));
  if (record === undefined) throw new CarillonError('api', 'Invalid API Key');
  if (!record.active) throw new CarillonError('api', `API Key is disabled: ${record.title}`);
  return { kind: 'api_key', id: record.id, title: record.title, privileges: record.privileges };
}

/** The caller as it is now, with its present privileges; undefined when its key has been deleted or disabled. */
export function presentCaller(caller: Caller, state: ClusterState): Caller | undefined {
  if (caller.kind !== 'api_key') return caller;
  const record = state.api_keys.get(caller.id);
  if (record === undefined || !record.active) return undefined;
  return { ...caller, title: record.title, privileges: record.privileges };
}
