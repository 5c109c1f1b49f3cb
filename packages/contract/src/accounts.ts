import { Type } from './schema.js';
import { EpochSeconds, Flag, Username } from './fields.js';

/** A user as stored (behaviour reference 3.5). The keys are those of Cronicle, so that its users can be taken over. */
export interface UserRecord {
  /** The name in lower case without what ids may not hold: names that differ in nothing else are the same. */
  id: string;
  /** As it was typed when the user was created. */
  username: string;
  full_name: string;
  email: string;
  /** 0: neither sessions nor new logins. */
  active: 0 | 1;
  privileges: Record<string, unknown>;
  /** A hash that names its own method, or one of Cronicle's: bcrypt or SHA-256 of password and salt. */
  password: string;
  /** What was appended to the password before hashing; empty when the hash holds its salt. */
  salt: string;
  created: number;
  modified: number;
  /** Failed logins in the hour `fl_date_code`, Unix hours. */
  fl_count?: number;
  fl_date_code?: number;
  /** Locked by failed logins until then, Unix seconds. */
  locked_until?: number;
  /** Cronicle's mark: 1 = locked until the password is reset or an administrator unlocks it. */
  force_password_reset?: 0 | 1;
  /** Recovery mails asked for in the hour `fp_date_code`, Unix hours. */
  fp_count?: number;
  fp_date_code?: number;
  /** SHA-256 of the present recovery key, and when it ends (Unix seconds). */
  recovery_hash?: string;
  recovery_expires?: number;
}

/** A session as stored: the session id itself is only known as its SHA-256, which is the id of the record. */
export interface SessionRecord {
  id: string;
  /** Id of the user's record. */
  user: string;
  username: string;
  /** Where the login came from; informative. */
  ip: string;
  useragent: string;
  /** Unix seconds. */
  created: number;
  /** Unix seconds; the session is refused from then on. */
  expires: number;
}

/** A password that is to be set. */
export const NewPassword = Type.String({
  minLength: 8,
  maxLength: 1024,
  description: 'New password, at least 8 characters',
});
/** A password that is to be checked. */
export const GivenPassword = Type.String({ minLength: 1, maxLength: 1024 });
const Email = Type.String({ pattern: '^[^\\s<>]+@[^\\s<>]+$', maxLength: 320 });
const FullName = Type.String({ pattern: '\\S', maxLength: 256 });

/** What users may change about themselves. */
export const ownSettings = {
  full_name: Type.Optional({ ...FullName, description: 'HTML tags are taken out' }),
  email: Type.Optional(Email),
};
/** What administrators may change, beside the password. */
export const userSettings = {
  ...ownSettings,
  active: Type.Optional({ ...Flag, description: '0 ends all sessions and refuses logins' }),
  privileges: Type.Optional(
    Type.Record(Type.String(), Flag, { description: 'Privileges by name, 1 or 0; replaced as a whole' }),
  ),
};

/** A user as answered: without anything that is made of a password. */
export const UserSchema = Type.Object(
  {
    username: Username,
    full_name: Type.String(),
    email: Type.String(),
    active: Type.Union([Type.Literal(0), Type.Literal(1)]),
    privileges: Type.Record(Type.String(), Type.Unknown()),
    created: EpochSeconds,
    modified: EpochSeconds,
    locked_until: Type.Optional(Type.Integer({ description: 'Unix time until which failed logins lock it' })),
    force_password_reset: Type.Optional(
      Type.Integer({ description: '1 = locked until the password is reset; from an import' }),
    ),
  },
  { additionalProperties: true },
);
