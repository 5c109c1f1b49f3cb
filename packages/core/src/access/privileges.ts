import { CarillonError, type Privilege } from '@carillon/contract';
import type { Caller } from './caller.js';

/** A privilege the caller itself holds, not one that follows from being administrator. Own keys only. */
export const holdsPrivilege = (caller: Caller, privilege: string): boolean =>
  Object.hasOwn(caller.privileges, privilege) && Boolean(caller.privileges[privilege]);

/** True when the caller may do what the privilege allows; administrators may do everything. */
export const hasPrivilege = (caller: Caller, privilege: Privilege): boolean =>
  holdsPrivilege(caller, 'admin') || holdsPrivilege(caller, privilege);

/** Throws CarillonError (`api` for keys, `user` for users; texts of behaviour reference 1.7) without the privilege. */
export function requirePrivilege(caller: Caller, privilege: Privilege): void {
  if (hasPrivilege(caller, privilege)) return;
  if (privilege === 'admin') {
    throw new CarillonError('user', `User is not an administrator: ${caller.title}`);
  }
  throw missingPrivilege(caller, privilege);
}

/** The refusal for a missing privilege or scope; it names the key's title, never the key. */
export function missingPrivilege(caller: Caller, missing: string): CarillonError {
  return caller.kind === 'api_key'
    ? new CarillonError(
        'api',
        `API Key ('${caller.title}') does not have the required privileges to perform this action (${missing}).`,
      )
    : new CarillonError(
        'user',
        `User '${caller.title}' does not have the required account privileges to perform this action (${missing}).`,
      );
}
