import { CarillonError } from '@carillon/contract';
import { liveSession } from '../accounts/session-plans.js';
import type { ClusterState } from '../state/cluster-state.js';
import type { Caller } from './caller.js';

/** What a request proves itself with; the credential itself is known as its SHA-256 only. */
export interface Credential {
  kind: 'session' | 'api_key';
  /** Lower-case hex. */
  hash: string;
}

/** Who calls where no credential is needed: nobody, with no privilege. */
export const anonymous: Caller = { kind: 'user', id: '', title: '', privileges: {} };

export const sessionOverText = 'Session has expired or is invalid.';

/**
 * Who calls. Throws CarillonError with the codes of behaviour reference 1.7, never repeating the credential: `session`
 * when there is none or the session is over, `api` for a key that is unknown or disabled, `user` for a disabled user.
 */
export function identify(
  credential: Credential | undefined,
  state: Pick<ClusterState, 'keyByHash' | 'sessions' | 'users'>,
  nowSec: number,
): Caller {
  if (credential === undefined) {
    throw new CarillonError('session', 'No Session ID or API Key could be found');
  }
  if (credential.kind === 'session') return userOfSession(credential.hash, state, nowSec);
  const record = state.keyByHash(credential.hash);
  if (record === undefined) throw new CarillonError('api', 'Invalid API Key');
  if (!record.active) throw new CarillonError('api', `API Key is disabled: ${record.title}`);
  return { kind: 'api_key', id: record.id, title: record.title, privileges: record.privileges };
}

function userOfSession(
  hash: string,
  state: Pick<ClusterState, 'sessions' | 'users'>,
  nowSec: number,
): Caller {
  const found = liveSession(hash, state, nowSec);
  if (found === undefined) throw new CarillonError('session', sessionOverText);
  const { username, active, privileges } = found.user;
  if (!active) throw new CarillonError('user', `User account is disabled: ${username}`);
  return { kind: 'user', id: username, title: username, privileges };
}
