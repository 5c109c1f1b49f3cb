import { Type } from '../../schema.js';
import { GivenPassword, NewPassword, ownSettings, UserSchema } from '../../accounts.js';
import { Username } from '../../fields.js';
import type { ApiCall } from '../api-call.js';
import { describe, empty } from '../parts.js';

const sessionId = Type.String({ description: 'Goes into the header `X-Session-ID` of later calls' });
const expires = Type.Integer({ description: 'Unix time at which the session ends' });
const emailAddress = Type.String({ minLength: 1, maxLength: 320 });

const own = {
  area: 'user',
  methods: ['POST'],
  merge: 'body-only',
  primaryOnly: true,
} as const;

/** Calls by which users come and go and look after their own account (behaviour reference 2.6). */
export const sessionCalls = {
  user_login: {
    ...own,
    summary: 'Begin a session with name and password.',
    auth: 'none',
    checksSecret: true,
    params: Type.Object({ username: Username, password: GivenPassword }),
    response: Type.Object({ username: Username, user: UserSchema, session_id: sessionId, expires }),
    notes:
      'Refusals take about a second and do not tell whether there is such a user. After `max_failed_logins_per_hour` failures within an hour of the clock the account is locked for an hour, until its password is reset, or until an administrator unlocks it.',
  },
  user_resume_session: {
    ...own,
    summary: 'Is the session still good, and whose is it?',
    auth: 'none',
    params: empty,
    response: Type.Object({
      username: Type.Optional(Username),
      user: Type.Optional(UserSchema),
      session_id: Type.Optional(sessionId),
      expires: Type.Optional(expires),
    }),
    notes:
      'Without a session the answer is a bare success. A session is not prolonged: it ends `session_expire_days` after the login.',
  },
  user_logout: {
    ...own,
    summary: 'End the session.',
    auth: 'none',
    params: empty,
    response: empty,
    notes: 'Succeeds whatever the session.',
  },
  user_update: {
    ...own,
    summary: 'Change the own name, address or password.',
    auth: 'session',
    params: Type.Object({
      ...ownSettings,
      username: describe(Username, 'The own name, for confirmation'),
      old_password: describe(GivenPassword, 'The present password'),
      new_password: Type.Optional(NewPassword),
    }),
    response: Type.Object({ user: UserSchema }),
    notes:
      'A wrong `old_password` counts as a failed login. A new password ends all other sessions of the user. Privileges and anything else are left as they are.',
  },
  user_delete: {
    ...own,
    summary: 'Delete the own account.',
    auth: 'session',
    params: Type.Object({
      username: describe(Username, 'The own name, for confirmation'),
      password: GivenPassword,
    }),
    response: empty,
    notes: 'Refused when `self_delete` is switched off. Ends all sessions of the user.',
  },
  user_forgot_password: {
    ...own,
    summary: 'Ask for a mail by which a new password can be set.',
    auth: 'none',
    params: Type.Object({ username: Username, email: emailAddress }),
    response: empty,
    notes:
      'Always succeeds. A mail is sent when there is such an active user with that address, at most `max_forgot_passwords_per_hour` times an hour; its key is good for 24 hours.',
  },
  user_reset_password: {
    ...own,
    summary: 'Set a new password with the key of a recovery mail.',
    auth: 'none',
    checksSecret: true,
    params: Type.Object({
      username: Username,
      new_password: NewPassword,
      key: Type.String({ pattern: '^[A-Fa-f0-9]{64}$', description: 'From the mail; good once' }),
    }),
    response: empty,
    notes: 'Ends all sessions of the user and unlocks the account.',
  },
} as const satisfies Record<string, ApiCall>;
