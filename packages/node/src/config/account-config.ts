import { type AccountSettings, defaultAccountSettings } from '@carillon/core';
import type { PeerFile } from './read-peer-file.js';

/** The settings of user accounts. Adds keys below `User` that have no effect to `warnings`. */
export function readAccounts(peer: PeerFile, warnings: string[]): AccountSettings {
  const {
    session_expire_days: sessionExpireDays,
    max_failed_logins_per_hour: maxFailedLoginsPerHour,
    max_forgot_passwords_per_hour: maxForgotPasswordsPerHour,
    self_delete: selfDelete,
    default_privileges: defaultPrivileges,
    ...others
  } = peer.given('User') ?? {};
  const unused = Object.keys(others);
  if (unused.length > 0) {
    const names = unused.sort().map((name) => `User.${name}`);
    warnings.push(`Not used by this version (in ${peer.path}): ${names.join(', ')}`);
  }
  const preset = defaultAccountSettings;
  return {
    sessionExpireDays: sessionExpireDays ?? preset.sessionExpireDays,
    maxFailedLoginsPerHour: maxFailedLoginsPerHour ?? preset.maxFailedLoginsPerHour,
    maxForgotPasswordsPerHour: maxForgotPasswordsPerHour ?? preset.maxForgotPasswordsPerHour,
    selfDelete: selfDelete === undefined ? preset.selfDelete : Boolean(selfDelete),
    defaultPrivileges: { ...(defaultPrivileges ?? preset.defaultPrivileges) },
  };
}
