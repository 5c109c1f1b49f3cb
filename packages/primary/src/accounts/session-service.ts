import { CarillonError, type SessionRecord, type UserRecord } from '@carillon/contract';
import {
  type Caller,
  type Change,
  type Credential,
  type Digest,
  liveSession,
  lockedText,
  type PasswordHash,
  planSession,
  publicUser,
  sessionOverText,
  userIdOf,
  withHash,
  withoutFailures,
  wrongPasswordText,
} from '@carillon/core';
import { activityChange } from '../catalog/activity-change.js';
import type { AccountOffice, Origin } from './account-office.js';
import type { FailedAttempts } from './failed-attempts.js';
import type { PasswordDesk } from './password-desk.js';

export interface SessionDeps {
  office: AccountOffice;
  digest: Digest;
  desk: PasswordDesk;
  failures: FailedAttempts;
}

/** A user with a session, as the user sees it. */
export interface SignedIn {
  username: string;
  user: ReturnType<typeof publicUser>;
  session_id?: string;
  expires: number;
}

/** Refusals come this long after the request, so that they do not tell what was compared. */
const refusalMs = 1_000;
const sessionIdBytes = 32;

/** Logins and sessions (behaviour reference 2.6). All writes are durable when they resolve. */
export class SessionService {
  readonly #deps: SessionDeps;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
  }

  /** Throws CarillonError `login`, in the same time and words whether there is such a user or not. */
  login(username: string, password: string, origin: Origin): Promise<SignedIn> {
    return this.refuseSlowly(async () => {
      const { office, digest, desk } = this.#deps;
      const { user, fresh } = await desk.take(() => this.#prove(username, password, origin));
      if (user.active !== 1) throw refusal(`User account is disabled: ${user.username}`);
      const nowSec = this.#nowSec();
      const sessionId = office.random.hex(sessionIdBytes);
      const start = { user, idHash: digest.sha256(sessionId), ...origin, nowSec };
      const { session, changes } = planSession(start, office.state, office.settings.accounts);
      const caller: Caller = { kind: 'user', id: user.username, title: user.username, privileges: {} };
      const about = { user: { username: user.username, full_name: user.full_name }, ip: origin.ip };
      await office.journal.commit([
        ...this.#put(user, withHash(withoutFailures(user), fresh)),
        ...changes,
        activityChange(office, 'user_login', caller, about),
      ]);
      return { ...signedIn(user, session), session_id: sessionId };
    });
  }

  /** The user of a session. Throws CarillonError `session` when it is over and `login` when the user is disabled. */
  resume(credential: Credential): SignedIn {
    const found = liveSession(credential.hash, this.#deps.office.state, this.#nowSec());
    if (found === undefined) throw new CarillonError('session', sessionOverText);
    const { session, user } = found;
    if (user.active !== 1) throw refusal(`User account is disabled: ${user.username}`);
    return signedIn(user, session);
  }

  /** Ends a session, if there is one. */
  async logout(credential: Credential): Promise<void> {
    const { state, journal } = this.#deps.office;
    if (state.sessions.get(credential.hash) === undefined) return;
    await journal.commit([{ type: 'delete', table: 'sessions', id: credential.hash }]);
  }

  /** Checks the password of somebody who has a session; a wrong one counts as a failed login. Throws like `login`. */
  confirm(username: string, password: string, origin: Origin): Promise<UserRecord> {
    return this.refuseSlowly(async () => {
      const { user } = await this.#deps.desk.take(() => this.#prove(username, password, origin));
      return user;
    });
  }

  /** Lets the work fail no sooner than a fixed time after it began. */
  async refuseSlowly<T>(work: () => Promise<T>): Promise<T> {
    const startedMs = this.#deps.office.clock.monotonicMs();
    try {
      return await work();
    } catch (error) {
      await this.waitUntil(startedMs + refusalMs);
      throw error;
    }
  }

  /** Resolves at a monotonic time. */
  waitUntil(monotonicMs: number): Promise<void> {
    const { clock } = this.#deps.office;
    return new Promise((resolve) => {
      clock.after(monotonicMs - clock.monotonicMs(), resolve);
    });
  }

  /** Answers the user, and a hash in the present method when the stored one is outdated. */
  async #prove(
    username: string,
    password: string,
    origin: Origin,
  ): Promise<{ user: UserRecord; fresh: PasswordHash | undefined }> {
    const { office, desk, failures } = this.#deps;
    if (failures.isLocked(username, this.#nowSec())) throw refusal(lockedText);
    const known = office.state.users.get(userIdOf(username));
    const isRight = await desk.checks(password, known);
    const fresh = known !== undefined && isRight ? await desk.renew(password, known) : undefined;
    // While the password was compared somebody may have changed it.
    const user = office.state.users.get(userIdOf(username));
    if (isRight && known !== undefined && user?.password === known.password) return { user, fresh };
    const changes = failures.plan(username, origin.ip, this.#nowSec());
    if (changes.length > 0) await office.journal.commit(changes);
    throw refusal(wrongPasswordText);
  }

  #put(before: UserRecord, record: UserRecord): Change[] {
    const { users } = this.#deps.office.state;
    const seq = users.entry(record.id)?.seq ?? users.nextSeq;
    return before === record ? [] : [{ type: 'put', table: 'users', seq, record }];
  }

  #nowSec(): number {
    return Math.floor(this.#deps.office.clock.nowMs() / 1000);
  }
}

const signedIn = (user: UserRecord, session: SessionRecord): SignedIn => ({
  username: user.username,
  user: publicUser(user),
  expires: session.expires,
});

const refusal = (text: string): CarillonError => new CarillonError('login', text);
