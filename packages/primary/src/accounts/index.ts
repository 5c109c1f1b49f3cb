import type { Digest, PasswordHasher } from '@carillon/core';
import type { AccountOffice } from './account-office.js';
import { FailedAttempts } from './failed-attempts.js';
import { PasswordDesk } from './password-desk.js';
import { SessionService } from './session-service.js';
import { UserService } from './user-service.js';

export type { Origin } from './account-office.js';

/** What the primary does for users. */
export interface Accounts {
  readonly users: UserService;
  readonly sessions: SessionService;
}

export function createAccounts(deps: {
  office: AccountOffice;
  digest: Digest;
  passwords: PasswordHasher;
}): Accounts {
  const { office, digest } = deps;
  const desk = new PasswordDesk(deps.passwords);
  const sessions = new SessionService({ office, digest, desk, failures: new FailedAttempts(office) });
  return { sessions, users: new UserService({ office, digest, desk, sessions }) };
}
