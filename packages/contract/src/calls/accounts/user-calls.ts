import { Type } from '../../schema.js';
import { NewPassword, UserSchema, userSettings } from '../../accounts.js';
import { Flag, Username } from '../../fields.js';
import { ListHeader } from '../../records.js';
import type { ApiCall } from '../api-call.js';
import { describe, empty, page } from '../parts.js';

const { full_name: fullName, email, privileges } = userSettings;
const username = describe(
  Username,
  'Name of the user; upper and lower case, and `-` and `.`, make no difference',
);

/** Calls about users, for administrators (behaviour reference 2.3, 2.6). */
export const userCalls = {
  user_admin_get_users: {
    area: 'user',
    summary: 'List users by name.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({ ...page(50) }),
    response: Type.Object({ rows: Type.Array(UserSchema), list: ListHeader }),
  },
  user_admin_get_user: {
    area: 'user',
    summary: 'One user.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({ username }),
    response: Type.Object({ user: UserSchema }),
  },
  user_admin_create: {
    area: 'user',
    summary: 'Create a user.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({
      username: describe(Username, 'Name to log in with'),
      password: NewPassword,
      full_name: fullName,
      email,
      privileges,
    }),
    response: empty,
    notes: 'Without `privileges` the new user has those of `default_privileges`. No mail is sent.',
  },
  user_admin_update: {
    area: 'user',
    summary: 'Replace the given properties of a user.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({
      ...userSettings,
      username,
      new_password: Type.Optional(NewPassword),
      unlock: Type.Optional(describe(Flag, 'Unlock an account that was locked after failed logins')),
    }),
    response: Type.Object({ user: UserSchema }),
    notes:
      'A new password ends all sessions of the user and unlocks the account; `active` = 0 ends them, too.',
  },
  user_admin_delete: {
    area: 'user',
    summary: 'Delete a user.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({ username }),
    response: empty,
    notes: 'Ends all sessions of the user. API keys that the user has made stay.',
  },
  check_user_exists: {
    summary: 'Is there a user of this name?',
    methods: ['GET', 'POST'],
    merge: 'body-only',
    auth: 'valid',
    primaryOnly: true,
    params: Type.Object({ username }),
    response: Type.Object({ user_exists: Type.Boolean() }),
  },
} as const satisfies Record<string, ApiCall>;
