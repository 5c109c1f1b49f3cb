import { type AccountSettings, defaultAccountSettings } from '@carillon/core';
import { Type } from '@carillon/contract';
import type { PeerFile } from '../read-peer-file.js';

const count = (minimum: number, maximum: number) => Type.Integer({ minimum, maximum });

/** Cronicle's settings of user accounts (behaviour reference 11.1). */
export const accountSettings = {
  User: {
    schema: Type.Object({
      session_expire_days: Type.Optional(count(1, 3_650)),
      max_failed_logins_per_hour: Type.Optional(count(1, 1_000)),
      max_forgot_passwords_per_hour: Type.Optional(count(0, 1_000)),
      self_delete: Type.Optional(Type.Union([Type.Boolean(), Type.Literal(0), Type.Literal(1)])),
      default_privileges: Type.Optional(
        Type.Record(Type.String({ pattern: '^\\w+$' }), Type.Union([Type.Boolean(), Type.Integer()])),
      ),
    }),
    expects:
      'an object with whole numbers under `session_expire_days`, `max_failed_logins_per_hour` and ' +
      '`max_forgot_passwords_per_hour`, true or false under `self_delete`, and privileges under `default_privileges`',
    preset: {},
    about:
      'User accounts: days a session lasts (30), failed logins in an hour that lock an account (more than 5), recovery ' +
      'mails for one user in an hour (3), whether users may delete their own account (true), and the privileges of ' +
      'users created without any (create, edit and delete events). See docs/access.md.',
  },
};

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
