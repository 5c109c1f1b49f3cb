import type { MailDelivery, UserRecord } from '@carillon/contract';
import type { NoticeContext } from '../hooks/settings.js';

/** How long a recovery key is good. */
export const recoveryKeySec = 86_400;

/**
 * The mail that brings a recovery key to a user. The key is in it as it is: until it is sent it lies in the outbox, like
 * anything else that is to be sent.
 */
export function recoveryMail(user: UserRecord, key: string, context: NoticeContext): MailDelivery {
  const { settings, nowMs, newId } = context;
  const lines = [
    `Hello ${user.full_name || user.username},`,
    '',
    `a new password was asked for the account ${user.username} of Carillon at ${settings.baseAppUrl}.`,
    'If it was not you, nothing needs to be done: the old password stays as it is.',
    '',
    'To set a new password within 24 hours:',
    '',
    `    carillon --url ${settings.baseAppUrl} user reset ${user.username} --recovery-key ${key}`,
    '',
  ];
  return {
    type: 'mail',
    id: newId(),
    createdMs: nowMs,
    action: 'recover_password',
    event: '',
    to: user.email,
    from: settings.mail.from,
    subject: 'Carillon: a new password',
    headers: {},
    html: false,
    body: lines.join('\n'),
  };
}

/** The user with a recovery key, of which only the hash is stored; an earlier key is no longer good. */
export const withRecoveryKey = (user: UserRecord, keyHash: string, nowSec: number): UserRecord => ({
  ...user,
  recovery_hash: keyHash,
  recovery_expires: nowSec + recoveryKeySec,
});

/** Is it the hash of the user's present recovery key? */
export const isRecoveryKey = (user: UserRecord, keyHash: string, nowSec: number): boolean =>
  user.recovery_hash === keyHash && nowSec < (user.recovery_expires ?? 0);

/** The user with the recovery key used up. */
export function withoutRecoveryKey(user: UserRecord): UserRecord {
  const { recovery_hash: _hash, recovery_expires: _expires, ...rest } = user;
  return rest;
}
