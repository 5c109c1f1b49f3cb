import { CarillonError, type UserRecord } from '@carillon/contract';
import {
  afterRecoveryMail,
  type Caller,
  type Change,
  checkUserCreation,
  type Digest,
  isRecoveryKey,
  lockedText,
  planOwnUpdate,
  planSessionsEnd,
  planUserCreation,
  planUserUpdate,
  publicUser,
  recoveryMail,
  userIdOf,
  withHash,
  withoutFailures,
  withRecoveryKey,
} from '@carillon/core';
import { activityChange } from '../catalog/activity-change.js';
import type { AccountOffice, Origin } from './account-office.js';
import type { PasswordDesk } from './password-desk.js';
import type { SessionService } from './session-service.js';

type Fields = Readonly<Record<string, unknown>>;

export interface UserDeps {
  office: AccountOffice;
  digest: Digest;
  desk: PasswordDesk;
  sessions: SessionService;
}

/** Answers about forgotten passwords take this long, whether a mail is sent or not. */
const forgottenMs = 1_000;

/**
 * Users: what administrators do with them, and users with themselves (behaviour reference 2.6). Sessions end in the same
 * commit that takes away what they rest on. All writes are durable when they resolve.
 */
export class UserService {
  readonly #deps: UserDeps;

  constructor(deps: UserDeps) {
    this.#deps = deps;
  }

  /** Users by name, upper case before lower. */
  list(): UserRecord[] {
    const users = [...this.#deps.office.state.users.newestFirst()];
    return users.sort((a, b) => (a.username < b.username ? -1 : a.username > b.username ? 1 : 0));
  }

  find(username: string): UserRecord | undefined {
    return this.#deps.office.state.users.get(userIdOf(username));
  }

  async create(fields: Fields, caller: Caller): Promise<void> {
    const { office, desk } = this.#deps;
    const { defaultPrivileges } = office.settings.accounts;
    checkUserCreation(fields, office.state);
    const hash = await desk.hash(textIn(fields, 'password'));
    const context = { state: office.state, nowSec: this.#nowSec(), defaultPrivileges };
    const record = planUserCreation(fields, hash, context);
    const seq = office.state.users.nextSeq;
    await this.#commit([{ type: 'put', table: 'users', seq, record }], 'user_create', caller, record);
  }

  /** Answers the user. Throws CarillonError `user` when there is none. */
  async update(fields: Fields, caller: Caller): Promise<UserRecord> {
    const { office, desk } = this.#deps;
    const name = textIn(fields, 'username');
    planUserUpdate(this.#existing(name), fields, undefined, this.#nowSec());
    const password = textIn(fields, 'new_password');
    const hash = password === '' ? undefined : await desk.hash(password);
    const record = planUserUpdate(this.#existing(name), fields, hash, this.#nowSec());
    const isOver = hash !== undefined || record.active === 0;
    const ended = isOver ? planSessionsEnd(record.id, office.state) : [];
    await this.#commit([this.#put(record), ...ended], 'user_update', caller, record, hash !== undefined);
    return record;
  }

  /** Throws CarillonError `user` when there is none. */
  async delete(username: string, caller: Caller): Promise<void> {
    const record = this.#existing(username);
    await this.#commit(this.#removal(record), 'user_delete', caller, record);
  }

  /** What users change about themselves; `session` is the one that stays. Answers the user. */
  async updateOwn(fields: Fields, caller: Caller, session: string, origin: Origin): Promise<UserRecord> {
    const { office, desk, sessions } = this.#deps;
    const name = requireOwnName(fields, caller);
    await sessions.confirm(name, textIn(fields, 'old_password'), origin).catch(inOwnWords('user'));
    const password = textIn(fields, 'new_password');
    const hash = password === '' ? undefined : await desk.hash(password);
    const record = planOwnUpdate(this.#existing(name), fields, hash, this.#nowSec());
    const ended = hash === undefined ? [] : planSessionsEnd(record.id, office.state, session);
    await this.#commit([this.#put(record), ...ended], 'user_update', caller, record, hash !== undefined);
    return record;
  }

  async deleteOwn(fields: Fields, caller: Caller, origin: Origin): Promise<void> {
    const { office, sessions } = this.#deps;
    if (!office.settings.accounts.selfDelete) {
      throw new CarillonError('user', 'Users cannot delete their own accounts.');
    }
    const name = requireOwnName(fields, caller);
    await sessions.confirm(name, textIn(fields, 'password'), origin).catch(inOwnWords('login'));
    const record = this.#existing(name);
    await this.#commit(this.#removal(record), 'user_delete', caller, record);
  }

  /** Sends a recovery mail if there is such a user; answers in the same time in any case. */
  async forgotPassword(username: string, email: string): Promise<void> {
    const { office, sessions } = this.#deps;
    const startedMs = office.clock.monotonicMs();
    const changes = this.#recoveryChanges(this.find(username), email);
    if (changes.length > 0) await office.journal.commit(changes);
    await sessions.waitUntil(startedMs + forgottenMs);
  }

  #recoveryChanges(user: UserRecord | undefined, email: string): Change[] {
    const { office, digest } = this.#deps;
    const { accounts, notices } = office.settings;
    if (user === undefined || user.active !== 1 || user.email === '') return [];
    if (user.email.toLowerCase() !== email.toLowerCase()) return [];
    const counted = afterRecoveryMail(user, this.#nowSec(), accounts);
    if (counted === undefined) return [];
    const key = office.random.hex(32);
    const context = { settings: notices, nowMs: office.clock.nowMs(), newId: () => office.newId('d') };
    const delivery = recoveryMail(user, key, context);
    return [
      this.#put(withRecoveryKey(counted, digest.sha256(key), this.#nowSec())),
      { type: 'delivery', delivery },
    ];
  }

  /** Sets a new password with the key of a recovery mail. Throws CarillonError `login` when it is not good. */
  resetPassword(username: string, password: string, key: string): Promise<void> {
    const { office, digest, desk, sessions } = this.#deps;
    const keyHash = digest.sha256(key.toLowerCase());
    return sessions.refuseSlowly(async () => {
      this.#recovering(username, keyHash);
      const hash = await desk.hash(password);
      // A key is good once, also for two who use it at the same time.
      const user = this.#recovering(username, keyHash);
      const record = { ...withHash(withoutFailures(user), hash), modified: this.#nowSec() };
      const caller: Caller = { kind: 'user', id: user.username, title: user.username, privileges: {} };
      const ended = planSessionsEnd(user.id, office.state);
      await this.#commit([this.#put(record), ...ended], 'user_update', caller, record, true);
    });
  }

  #recovering(username: string, keyHash: string): UserRecord {
    const user = this.find(username);
    if (user?.active !== 1 || !isRecoveryKey(user, keyHash, this.#nowSec())) {
      throw new CarillonError('login', 'Password reset failed.');
    }
    return user;
  }

  #existing(username: string): UserRecord {
    const user = this.find(username);
    if (user === undefined) throw new CarillonError('user', `User not found: ${username}`);
    return user;
  }

  #put(record: UserRecord): Change {
    const { users } = this.#deps.office.state;
    return { type: 'put', table: 'users', seq: users.entry(record.id)?.seq ?? users.nextSeq, record };
  }

  #removal({ id }: UserRecord): Change[] {
    return [{ type: 'delete', table: 'users', id }, ...planSessionsEnd(id, this.#deps.office.state)];
  }

  #commit(
    changes: readonly Change[],
    action: string,
    caller: Caller,
    record: UserRecord,
    isNewPassword = false,
  ): Promise<void> {
    const { office } = this.#deps;
    const user = { ...publicUser(record), ...(isNewPassword ? { password_changed: 1 } : {}) };
    return office.journal.commit([...changes, activityChange(office, action, caller, { user })]);
  }

  #nowSec(): number {
    return Math.floor(this.#deps.office.clock.nowMs() / 1000);
  }
}

/** The name that was given for confirmation. Throws CarillonError `user` when it is another one. */
function requireOwnName(fields: Fields, caller: Caller): string {
  const name = textIn(fields, 'username');
  if (userIdOf(name) !== userIdOf(caller.id)) throw new CarillonError('user', 'Username mismatch.');
  return name;
}

/** The refusal of a password for somebody who is known: only the lock keeps its words. */
const inOwnWords =
  (code: 'user' | 'login') =>
  (error: unknown): never => {
    if (!(error instanceof CarillonError) || error.code !== 'login') throw error;
    throw error.message === lockedText ? error : new CarillonError(code, 'Your password is incorrect.');
  };

function textIn(fields: Fields, name: string): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === 'string' ? value : '';
}
