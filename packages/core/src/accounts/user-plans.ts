import { apiCalls, CarillonError, checkParameters, type UserRecord } from '@carillon/contract';
import type { ClusterState } from '../state/cluster-state.js';
import type { PasswordHash } from '../ports/password-hasher.js';
import { storedPrivileges } from '../access/stored-privileges.js';
import { withoutFailures } from './attempt-rules.js';
import { withoutRecoveryKey } from './recovery.js';
import { userIdOf } from './user-name.js';

type Fields = Readonly<Record<string, unknown>>;

/**
 * The record of a new user, active (behaviour reference 2.6). Throws CarillonError `api` for malformed fields and
 * `user_exists` when there is a user whose name differs in upper and lower case or in punctuation only.
 */
export function planUserCreation(
  fields: Fields,
  hash: PasswordHash,
  context: {
    state: Pick<ClusterState, 'users'>;
    nowSec: number;
    defaultPrivileges: Readonly<Record<string, unknown>>;
  },
): UserRecord {
  const { state, nowSec } = context;
  checkUserCreation(fields, state);
  const username = textIn(fields, 'username');
  const privileges = recordIn(fields, 'privileges') ?? context.defaultPrivileges;
  return {
    id: userIdOf(username),
    username,
    full_name: plainText(textIn(fields, 'full_name')) || username,
    email: textIn(fields, 'email'),
    active: 1,
    privileges: storedPrivileges(privileges),
    ...hash,
    created: nowSec,
    modified: nowSec,
  };
}

/** What `planUserCreation` refuses, before any work is put into the password. */
export function checkUserCreation(fields: Fields, state: Pick<ClusterState, 'users'>): void {
  checkParameters(apiCalls.user_admin_create, fields);
  const username = textIn(fields, 'username');
  const id = userIdOf(username);
  if (!/[a-z0-9]/.test(id)) throw new CarillonError('api', 'Malformed parameter: username');
  if (state.users.get(id) !== undefined) {
    throw new CarillonError('user_exists', `User already exists: ${username}`);
  }
  storedPrivileges(recordIn(fields, 'privileges') ?? {});
}

/**
 * The user with the given settings replaced, `privileges` as a whole. A new password uses up the recovery key and lifts
 * the lock; `unlock` lifts it as well. Throws CarillonError `api` for malformed fields.
 */
export function planUserUpdate(
  user: UserRecord,
  fields: Fields,
  hash: PasswordHash | undefined,
  nowSec: number,
): UserRecord {
  checkParameters(apiCalls.user_admin_update, fields);
  const privileges = recordIn(fields, 'privileges');
  const active = Object.hasOwn(fields, 'active') ? fields['active'] : undefined;
  const isUnlocked = hash !== undefined || Boolean(Object.hasOwn(fields, 'unlock') && fields['unlock']);
  const record: UserRecord = {
    ...withHash(isUnlocked ? withoutFailures(user) : user, hash),
    ...ownSettingsOf(fields),
    modified: nowSec,
  };
  if (active !== undefined) record.active = active ? 1 : 0;
  if (privileges !== undefined) record.privileges = storedPrivileges(privileges);
  return record;
}

/** As `planUserUpdate`, for what users may change about themselves: everything else is left as it is. */
export function planOwnUpdate(
  user: UserRecord,
  fields: Fields,
  hash: PasswordHash | undefined,
  nowSec: number,
): UserRecord {
  checkParameters(apiCalls.user_update, fields);
  return { ...withHash(user, hash), ...ownSettingsOf(fields), modified: nowSec };
}

/** The user with a new password, and without a recovery key for the old one. */
export const withHash = (user: UserRecord, hash: PasswordHash | undefined): UserRecord =>
  hash === undefined ? user : { ...withoutRecoveryKey(user), password: hash.password, salt: hash.salt };

/** The record as it may be answered and noted: without anything that is made of a password or a key. */
export function publicUser(
  user: UserRecord,
): Omit<UserRecord, 'id' | 'password' | 'salt' | 'recovery_hash' | 'recovery_expires'> {
  const { id: _id, password: _password, salt: _salt, ...shown } = withoutRecoveryKey(user);
  return shown;
}

function ownSettingsOf(fields: Fields): Partial<UserRecord> {
  const settings: Partial<UserRecord> = {};
  if (Object.hasOwn(fields, 'email')) settings.email = textIn(fields, 'email');
  if (Object.hasOwn(fields, 'full_name')) settings.full_name = plainText(textIn(fields, 'full_name'));
  return settings;
}

/** Tags go, and so does what is left of broken ones. */
const plainText = (text: string): string =>
  text
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/[<>]/g, '')
    .trim();

function textIn(fields: Fields, name: string): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === 'string' ? value : '';
}

function recordIn(fields: Fields, name: string): Record<string, unknown> | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === 'object' && value !== null ? { ...value } : undefined;
}
