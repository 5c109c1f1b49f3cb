import type { Static, TObject, TProperties } from 'typebox';
import { Type } from './schema.js';
import {
  Count,
  EpochSeconds,
  Flag,
  Id,
  ManagedBy,
  OptionalId,
  PlainText,
  Recipients,
  Title,
  WebHook,
} from './fields.js';

/**
 * What a client may give for the records that events are made of, and how they are answered (behaviour reference
 * 2.3, 3.5). Flags may be booleans or numbers and are stored as 0 or 1.
 */

const storedFlag = Type.Union([Type.Literal(0), Type.Literal(1)]);
/** Any text: it becomes an id in lower case, without what ids may not hold. */
export const WishedId = Type.String({
  maxLength: 64,
  description: 'ID of the new record; made up when absent',
});
const stamps = { created: EpochSeconds, modified: EpochSeconds };
const text = (description: string) => Type.Optional({ ...PlainText, description });

export const categorySettings = {
  title: Type.Optional(Title),
  enabled: Type.Optional(Flag),
  max_children: Type.Optional({
    ...Count,
    description: 'Most jobs of the category at one time; 0 = no limit',
  }),
  description: text('What it is for'),
  color: Type.Optional({ ...OptionalId, description: 'Name of a colour; empty = plain' }),
  notify_success: Type.Optional(Recipients),
  notify_fail: Type.Optional(Recipients),
  web_hook: Type.Optional(WebHook),
  cpu_limit: Type.Optional(Count),
  cpu_sustain: Type.Optional(Count),
  memory_limit: Type.Optional(Count),
  memory_sustain: Type.Optional(Count),
  log_max_size: Type.Optional(Count),
  managed_by: Type.Optional(ManagedBy),
};
export const CategorySchema = Type.Object(
  { ...categorySettings, id: Id, title: Title, enabled: storedFlag, max_children: Count, ...stamps },
  { additionalProperties: true },
);

const account = Type.Union([
  Type.String({ pattern: '^[\\w\\-.]*$', maxLength: 128 }),
  Type.Integer({ minimum: 0, maximum: 4_294_967_295 }),
]);
export const pluginSettings = {
  title: Type.Optional(Title),
  enabled: Type.Optional(Flag),
  command: Type.Optional(
    Type.String({
      pattern: '\\S',
      maxLength: 8192,
      description: 'Program, a blank, arguments; no shell is involved',
    }),
  ),
  params: Type.Optional({ ...Type.Unknown(), description: 'List of parameter definitions' }),
  cwd: Type.Optional(Type.String({ pattern: '^[\\w\\s\\-/.]*$', maxLength: 4096 })),
  uid: Type.Optional({
    ...account,
    description: 'User of the process, by name or number; empty = that of the worker',
  }),
  gid: Type.Optional({ ...account, description: 'Group of the process, by name or number' }),
  env: Type.Optional(
    Type.Record(Type.String(), Type.String({ maxLength: 65_536 }), {
      description: 'More environment variables, texts by name',
    }),
  ),
  managed_by: Type.Optional(ManagedBy),
};
/** A parameter of a plugin as answered. */
export const PluginParamSchema = Type.Object(
  { id: Id, type: Type.String(), title: Type.Optional(Type.String()), value: Type.Optional(Type.Unknown()) },
  { additionalProperties: true },
);
export const PluginSchema = Type.Object(
  {
    ...pluginSettings,
    id: Id,
    title: Title,
    enabled: storedFlag,
    command: Type.String(),
    params: Type.Array(PluginParamSchema),
    ...stamps,
  },
  { additionalProperties: true },
);

export const serverGroupSettings = {
  title: Type.Optional(Title),
  regexp: Type.Optional(
    Type.String({
      pattern: '\\S',
      maxLength: 1024,
      description: 'JavaScript regular expression for host names; upper and lower case are the same',
    }),
  ),
  master: Type.Optional({ ...Flag, description: 'Kept for compatibility: 1 = members may be primary' }),
  managed_by: Type.Optional(ManagedBy),
};
export const ServerGroupSchema = Type.Object({
  id: Id,
  title: Title,
  regexp: Type.String(),
  master: storedFlag,
  managed_by: Type.Optional(ManagedBy),
});

/** The key string itself. */
export const KeyText = Type.String({ pattern: '^\\w+$', maxLength: 256 });
export const apiKeySettings = {
  title: Type.Optional(Title),
  description: text('Who uses it'),
  active: Type.Optional(Flag),
  privileges: Type.Optional(
    Type.Record(Type.String(), Flag, {
      description: 'Privileges by name, 1 or 0; replaced as a whole',
    }),
  ),
};
/** An API key as answered: without the key, of which only a digest is kept. */
export const ApiKeySchema = Type.Object({
  id: Id,
  title: Title,
  description: Type.Optional(Type.String()),
  active: storedFlag,
  privileges: Type.Record(Type.String(), Type.Unknown()),
  created: EpochSeconds,
  modified: EpochSeconds,
  username: Type.Optional(Type.String()),
});

/** A table of settings: parameters of the calls that create and update a kind of record. */
export type SettingTable = TProperties;
/** Values of the settings of a table, as clients may give them. */
export type SettingsOf<T extends SettingTable> = Static<TObject<T>>;
