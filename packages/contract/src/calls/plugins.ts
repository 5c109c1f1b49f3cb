import { Type } from '../schema.js';
import { pluginSettings, PluginSchema, WishedId } from '../catalog-fields.js';
import { Flag, Id, Title } from '../fields.js';
import { ListHeader } from '../records.js';
import type { ApiCall } from './api-call.js';
import { describe, empty, pageOfAll } from './parts.js';

const pluginId = describe(Id, 'Plugin ID');
const required = { title: Title, command: Type.String({ pattern: '\\S', maxLength: 8192 }) };
const warnings = Type.Optional(
  Type.Array(Type.String(), {
    description: 'What was accepted but is likely to be a mistake; absent when there is nothing',
  }),
);
const paramNotes =
  'A parameter is `{id, type, title, value}`; `type` is `text` (with `size`), `textarea` (with `rows`), `checkbox`, `hidden`, `select` (with `items`), or any other word, which is not checked. Jobs get each parameter as an environment variable under its upper-case name: one that would replace `PATH`, `HOME` or the like is accepted with a warning.';

/** Calls about plugins (behaviour reference 2.3). */
export const pluginCalls = {
  get_plugins: {
    summary: 'List plugins, newest first.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'valid',
    primaryOnly: true,
    params: Type.Object({ ...pageOfAll() }),
    response: Type.Object({ rows: Type.Array(PluginSchema), list: ListHeader }),
    notes: 'Values of `hidden` parameters and `env` are for administrators: others get `""` and none.',
  },
  create_plugin: {
    summary: 'Create a plugin.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({ ...required, ...pluginSettings, id: Type.Optional(WishedId), ...required }),
    response: Type.Object({ id: Id, warnings }),
    notes: paramNotes,
  },
  update_plugin: {
    summary: 'Replace the given properties of a plugin.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({
      ...pluginSettings,
      id: pluginId,
      abort_jobs: Type.Optional(
        describe(Flag, 'With enabled = 0: also abort its running jobs, except detached ones'),
      ),
    }),
    response: Type.Object({ warnings }),
    notes:
      'Counts for launches at once. With a truthy `enabled` the events with `catch_up` make up what they are behind. Parameters are replaced as a whole.',
  },
  delete_plugin: {
    summary: 'Delete a plugin that no event uses.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({ id: pluginId }),
    response: empty,
  },
} as const satisfies Record<string, ApiCall>;
