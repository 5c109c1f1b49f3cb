import type { SessionRecord, UserRecord } from '@carillon/contract';
import type { Change } from '../state/change.js';
import type { ClusterState } from '../state/cluster-state.js';
import type { AccountSettings } from './settings.js';

/** Sessions one user may have; the oldest ones give way. */
const mostSessionsOfUser = 50;
/** Sessions that are cleared away with one login. */
const mostClearedAtOnce = 500;
const longestText = 256;

export interface SessionStart {
  user: UserRecord;
  /** SHA-256 of the session id, lower-case hex. */
  idHash: string;
  ip: string;
  useragent: string;
  nowSec: number;
}

/**
 * The changes that begin a session. What has ended is cleared away along with it, so that sessions only grow with logins
 * and nothing has to look after them.
 */
export function planSession(
  start: SessionStart,
  state: ClusterState,
  settings: Pick<AccountSettings, 'sessionExpireDays'>,
): { session: SessionRecord; changes: Change[] } {
  const { user, nowSec } = start;
  const session: SessionRecord = {
    id: start.idHash,
    user: user.id,
    username: user.username,
    ip: start.ip.slice(0, longestText),
    useragent: start.useragent.slice(0, longestText),
    created: nowSec,
    expires: nowSec + settings.sessionExpireDays * 86_400,
  };
  const over: string[] = [];
  let own = 1;
  for (const other of state.sessions.newestFirst()) {
    if (other.user === user.id) own += 1;
    const isOver = other.expires <= nowSec || (other.user === user.id && own > mostSessionsOfUser);
    if (isOver && over.length < mostClearedAtOnce) over.push(other.id);
  }
  const seq = state.sessions.nextSeq;
  return { session, changes: [{ type: 'put', table: 'sessions', seq, record: session }, ...deletions(over)] };
}

/** The changes that end all sessions of a user, but for one of them if it is named. */
export function planSessionsEnd(user: string, state: ClusterState, except?: string): Change[] {
  const own = [...state.sessions.newestFirst()].filter(
    (session) => session.user === user && session.id !== except,
  );
  return deletions(own.map((session) => session.id));
}

/** A session that has not ended, with its user; undefined when either is gone. */
export function liveSession(
  idHash: string,
  state: Pick<ClusterState, 'sessions' | 'users'>,
  nowSec: number,
): { session: SessionRecord; user: UserRecord } | undefined {
  const session = state.sessions.get(idHash);
  if (session === undefined || session.expires <= nowSec) return undefined;
  const user = state.users.get(session.user);
  return user === undefined ? undefined : { session, user };
}

const deletions = (ids: readonly string[]): Change[] =>
  ids.map((id) => ({ type: 'delete', table: 'sessions', id }));
