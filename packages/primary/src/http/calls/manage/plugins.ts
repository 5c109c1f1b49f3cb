import { hasPrivilege, publicPlugin } from '@carillon/core';
import { bareSuccess } from '../../reply/reply.js';
import { type CallHandlers, textParam } from '../call-context.js';
import { tableJson } from '../paging.js';

/** Calls about plugins (behaviour reference 2.3). */
export const pluginCalls: CallHandlers = {
  get_plugins: ({ office, params, caller }) => {
    const { plugins } = office.state;
    return hasPrivilege(caller, 'admin')
      ? tableJson(params, plugins)
      : tableJson(params, plugins, publicPlugin);
  },

  create_plugin: async ({ office, params, caller }) => {
    const { id, warnings } = await office.records.createPlugin(params, caller);
    return JSON.stringify({ code: 0, id, ...given(warnings) });
  },

  update_plugin: async ({ office, params, caller }) => {
    const warnings = await office.records.updatePlugin(params, caller);
    return warnings.length === 0 ? bareSuccess : JSON.stringify({ code: 0, ...given(warnings) });
  },

  delete_plugin: async ({ office, params, caller }) => {
    await office.records.deletePlugin(textParam(params, 'id'), caller);
    return bareSuccess;
  },
};

const given = (warnings: string[]) => (warnings.length === 0 ? {} : { warnings });
