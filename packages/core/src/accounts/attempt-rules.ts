import type { UserRecord } from '@carillon/contract';
import type { AccountSettings } from './settings.js';

/** Failures of a name within an hour of the clock, and what follows from them. */
export interface Failures {
  count: number;
  /** Unix hours. */
  hour: number;
  /** Unix seconds. */
  lockedUntil?: number;
}

/** How long too many failures lock a name: whoever only knows a name cannot keep its owner out for ever. */
const lockSec = 3_600;

const hourOf = (nowSec: number): number => Math.floor(nowSec / 3600);

/** The text of a refusal that must not tell whether there is such a user. */
export const wrongPasswordText = 'Username or password incorrect.';
export const lockedText = 'Account is locked out.  Please reset your password to unlock it.';

/** One more failure: those of an earlier hour are forgotten; more than `most` in one hour lock (behaviour reference 2.6). */
export function withFailure(failures: Failures | undefined, nowSec: number, most: number): Failures {
  const hour = hourOf(nowSec);
  const count = failures?.hour === hour ? failures.count + 1 : 1;
  return count > most ? { count, hour, lockedUntil: nowSec + lockSec } : { count, hour };
}

export const isLocked = (failures: Failures | undefined, nowSec: number): boolean =>
  nowSec < (failures?.lockedUntil ?? 0);

/** Locked by failures, or for good by Cronicle's own mark of an imported user. */
export const isUserLocked = (user: UserRecord, nowSec: number): boolean =>
  user.force_password_reset === 1 || nowSec < (user.locked_until ?? 0);

/** The user after one more failed login. */
export function afterFailure(
  user: UserRecord,
  nowSec: number,
  { maxFailedLoginsPerHour }: Pick<AccountSettings, 'maxFailedLoginsPerHour'>,
): UserRecord {
  const before = { count: user.fl_count ?? 0, hour: user.fl_date_code ?? 0 };
  const { count, hour, lockedUntil } = withFailure(before, nowSec, maxFailedLoginsPerHour);
  const lock = lockedUntil === undefined ? {} : { locked_until: lockedUntil };
  return { ...user, fl_count: count, fl_date_code: hour, ...lock };
}

/** The user without failures and lock. The same object when there are none. */
export function withoutFailures(user: UserRecord): UserRecord {
  const {
    fl_count: count,
    fl_date_code: hour,
    locked_until: until,
    force_password_reset: mark,
    ...rest
  } = user;
  const isClean = [count, hour, until, mark].every((value) => value === undefined);
  return isClean ? user : rest;
}

/** The user after one more recovery mail; undefined when there were enough of them within this hour of the clock. */
export function afterRecoveryMail(
  user: UserRecord,
  nowSec: number,
  { maxForgotPasswordsPerHour }: Pick<AccountSettings, 'maxForgotPasswordsPerHour'>,
): UserRecord | undefined {
  const before = { count: user.fp_count ?? 0, hour: user.fp_date_code ?? 0 };
  const { count, hour, lockedUntil } = withFailure(before, nowSec, maxForgotPasswordsPerHour);
  return lockedUntil === undefined ? { ...user, fp_count: count, fp_date_code: hour } : undefined;
}
