import {
  type ApiCall,
  apiCalls,
  categorySettings,
  eventSettings,
  pluginSettings,
  serverGroupSettings,
} from '@carillon/contract';

/** What can be declared in files. The order is that of creation: each kind refers to earlier ones only. */
export const kindNames = ['group', 'category', 'plugin', 'event'] as const;
export type KindName = (typeof kindNames)[number];

/** Values by field. */
export type Fields = Readonly<Record<string, unknown>>;

/** A kind of record, as files and plans see it. */
export interface Kind {
  readonly name: KindName;
  /** The key under which files list it. */
  readonly key: string;
  readonly noun: string;
  /** Whose schemas check the fields. */
  readonly call: ApiCall;
  /** Fields that files may give and that a record is compared by. */
  readonly fields: readonly string[];
  /** What a record has where its file says nothing. A field without one is then left alone. */
  readonly presets: Fields;
}

/** Set by the cluster, or by the plan itself. */
const notDeclared: ReadonlySet<string> = new Set(['id', 'created', 'modified', 'username', 'managed_by']);

const presetsOfAll: Fields = { enabled: 1 };
const eventPresets: Fields = {
  ...presetsOfAll,
  category: 'general',
  plugin: 'shellplug',
  target: 'allgrp',
  params: {},
  timing: false,
  // The cluster fills in its own zone, which nobody else knows.
  timezone: undefined,
};

export const kinds: Readonly<Record<KindName, Kind>> = {
  group: makeKind('group', 'groups', 'server group', apiCalls.create_server_group, serverGroupSettings, {}),
  category: makeKind(
    'category',
    'categories',
    'category',
    apiCalls.create_category,
    categorySettings,
    presetsOfAll,
  ),
  plugin: makeKind('plugin', 'plugins', 'plugin', apiCalls.create_plugin, pluginSettings, {
    ...presetsOfAll,
    params: [],
    env: {},
  }),
  event: makeKind('event', 'events', 'event', apiCalls.create_event, eventSettings, eventPresets),
};

function makeKind(
  name: KindName,
  key: string,
  noun: string,
  call: ApiCall,
  settings: Readonly<Record<string, unknown>>,
  presets: Fields,
): Kind {
  const fields = Object.keys(settings).filter((field) => !notDeclared.has(field));
  const neutral = Object.fromEntries(fields.map((field) => [field, neutralValue(settings[field])]));
  return { name, key, noun, call, fields, presets: { ...neutral, ...presets } };
}

/** The value that says "none": for every setting it means the same as its absence. */
function neutralValue(schema: unknown): unknown {
  const { type, anyOf } = schema as { type?: string; anyOf?: { type?: string }[] };
  const isNumber = type === 'integer' || (anyOf?.some((option) => option.type === 'boolean') ?? false);
  return isNumber ? 0 : '';
}

/** Fields that name a record of another kind. */
export const references: Readonly<Record<string, KindName>> = {
  category: 'category',
  plugin: 'plugin',
  target: 'group',
  chain: 'event',
  chain_error: 'event',
};

/** Records that every cluster has from the start. */
export const builtIn: Readonly<Record<KindName, ReadonlySet<string>>> = {
  group: new Set(['allgrp', 'maingrp']),
  category: new Set(['general']),
  plugin: new Set(['shellplug', 'urlplug', 'testplug']),
  event: new Set(),
};
