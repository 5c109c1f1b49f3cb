import {
  type Change,
  type Failures,
  afterFailure,
  isLocked,
  isUserLocked,
  userIdOf,
  withFailure,
} from '@carillon/core';
import type { AccountOffice } from './account-office.js';

/** Names nobody has that are remembered; the oldest are forgotten first. */
const mostStrangers = 10_000;
/** One entry about failures in this time; others are counted in the next one. */
const noteEverySec = 10;

/**
 * Counts failed logins by name, whether anybody has that name or not, so that a lock tells nothing. Those of users are
 * durable; those of names that nobody has end with the term.
 */
export class FailedAttempts {
  readonly #office: AccountOffice;
  readonly #strangers = new Map<string, Failures>();
  #notedAtSec = Number.NEGATIVE_INFINITY;
  #unnoted = 0;

  constructor(office: AccountOffice) {
    this.#office = office;
  }

  isLocked(username: string, nowSec: number): boolean {
    const id = userIdOf(username);
    const user = this.#office.state.users.get(id);
    return user === undefined ? isLocked(this.#strangers.get(id), nowSec) : isUserLocked(user, nowSec);
  }

  /** The changes that one more failure makes: to its user, and to the activity log, which is spared a flood. */
  plan(username: string, ip: string, nowSec: number): Change[] {
    const { state, settings } = this.#office;
    const id = userIdOf(username);
    const entry = state.users.entry(id);
    if (entry === undefined) {
      this.#countStranger(id, nowSec);
      // What was typed as a name may have been a password.
      return this.#note({ ip, description: 'Failed login with a name that nobody has' }, nowSec);
    }
    const record = afterFailure(entry.record, nowSec, settings.accounts);
    const isNewLock = isUserLocked(record, nowSec);
    const about = { user: { username: record.username }, ip, failures: record.fl_count };
    return [
      { type: 'put', table: 'users', seq: entry.seq, record },
      ...this.#note(isNewLock ? { ...about, locked: 1 } : about, nowSec, isNewLock),
    ];
  }

  #countStranger(id: string, nowSec: number): void {
    const most = this.#office.settings.accounts.maxFailedLoginsPerHour;
    const failures = withFailure(this.#strangers.get(id), nowSec, most);
    this.#strangers.delete(id);
    this.#strangers.set(id, failures);
    if (this.#strangers.size <= mostStrangers) return;
    for (const oldest of this.#strangers.keys()) {
      this.#strangers.delete(oldest);
      return;
    }
  }

  #note(data: Readonly<Record<string, unknown>>, nowSec: number, always = false): Change[] {
    if (!always && nowSec - this.#notedAtSec < noteEverySec) {
      this.#unnoted += 1;
      return [];
    }
    const more = this.#unnoted === 0 ? {} : { more_failures: this.#unnoted };
    this.#notedAtSec = nowSec;
    this.#unnoted = 0;
    const entry = { ...data, ...more, action: 'user_login_failed', epoch: nowSec };
    return [{ type: 'activity', entry, rowMax: this.#office.settings.historyRows }];
  }
}
