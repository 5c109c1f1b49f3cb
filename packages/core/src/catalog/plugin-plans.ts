import {
  apiCalls,
  CarillonError,
  checkParameters,
  type PluginRecord,
  pluginSettings,
} from '@carillon/contract';
import type { ClusterState } from '../state/cluster-state.js';
import { checkPluginParams, paramWarnings } from './plugin-params.js';
import { type CatalogContext, chooseId, creatorOf, notFound, pickSettings } from './record-fields.js';

/** A plugin to be stored, and what its author should be told. */
export interface PlannedPlugin {
  record: PluginRecord;
  warnings: string[];
}

/**
 * The record of a new plugin (behaviour reference 2.3); it is enabled unless the fields say otherwise. Throws
 * CarillonError `api` for malformed fields, and `plugin` for malformed parameter definitions, a command with shell
 * operators or an id that is taken.
 */
export function planPluginCreation(
  fields: Readonly<Record<string, unknown>>,
  context: CatalogContext,
): PlannedPlugin {
  checkParameters(apiCalls.create_plugin, fields);
  const { title = '', command = '', params: _params, ...settings } = pickSettings(pluginSettings, fields);
  checkPluginCommand(command);
  const params = checkPluginParams(fields['params']);
  const kind = { table: context.state.plugins, noun: 'plugin', code: 'plugin' } as const;
  const record: PluginRecord = {
    enabled: 1,
    ...settings,
    id: chooseId(fields, context, kind),
    title,
    command,
    params,
    created: context.nowSec,
    modified: context.nowSec,
    ...creatorOf(context.caller),
  };
  return { record, warnings: paramWarnings(params) };
}

/**
 * The record of a plugin with the given settings replaced, `params` and `env` as a whole. Throws CarillonError like
 * `planPluginCreation`, and `event` when there is no such plugin: the peer's code.
 */
export function planPluginUpdate(
  fields: Readonly<Record<string, unknown>>,
  context: Pick<CatalogContext, 'state' | 'nowSec'>,
): PlannedPlugin {
  checkParameters(apiCalls.update_plugin, fields);
  const id = String(fields['id']);
  const current = context.state.plugins.get(id);
  if (current === undefined) throw new CarillonError('event', `Failed to locate plugin: ${id}`);
  const { params: _params, ...settings } = pickSettings(pluginSettings, fields);
  if (settings.command !== undefined) checkPluginCommand(settings.command);
  const given = Object.hasOwn(fields, 'params') && fields['params'] !== undefined;
  const params = given ? checkPluginParams(fields['params']) : current.params;
  const record = { ...current, ...settings, params, modified: context.nowSec };
  return { record, warnings: given ? paramWarnings(params) : [] };
}

/**
 * The plugin, when it may be deleted. Throws CarillonError `plugin` while events use it, and when there is none.
 */
export function planPluginDeletion(id: string, state: ClusterState): PluginRecord {
  for (const event of state.events.newestFirst()) {
    if (event.plugin === id) {
      throw new CarillonError('plugin', 'Failed to delete plugin: Still assigned to one or more events.');
    }
  }
  const plugin = state.plugins.get(id);
  if (plugin === undefined) throw notFound('plugin', 'Failed to delete plugin');
  return plugin;
}

/** The plugin as callers who are no administrators see it: without hidden values and environment. */
export function publicPlugin(plugin: PluginRecord): PluginRecord {
  const { env: _env, ...shown } = plugin;
  const params = plugin.params.map((param) => (param.type === 'hidden' ? { ...param, value: '' } : param));
  return { ...shown, params };
}

const quoted = /\\.|"(?:\\.|[^"\\])*"|'[^']*'/g;
/** What a shell would act on. Carillon has no shell there: whoever writes these expects one. */
const shellOperators = /[|<>;&`\n\r]/;

/** Operators in quotes or behind a backslash are text, also to a shell. */
export function checkPluginCommand(command: string): void {
  if (shellOperators.test(command.replaceAll(quoted, ''))) {
    throw new CarillonError('plugin', 'Plugin executable cannot contain any shell redirects or pipes.');
  }
  if (command.includes('\0')) throw new CarillonError('api', 'Malformed parameter value: command');
}
