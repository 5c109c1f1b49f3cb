import { CarillonError } from '@carillon/contract';
import { publicApiKey } from '@carillon/core';
import { bareSuccess } from '../../reply/reply.js';
import { type CallHandlers, textParam } from '../call-context.js';
import { tableJson } from '../paging.js';

/** Calls about API keys (behaviour reference 2.3). */
export const apiKeyCalls: CallHandlers = {
  get_api_keys: ({ office, params }) => tableJson(params, office.state.api_keys, publicApiKey),

  get_api_key: ({ office, params }) => {
    const id = textParam(params, 'id');
    const record = office.state.api_keys.get(id);
    if (record === undefined) throw new CarillonError('api_key', `Failed to locate API Key: ${id}`);
    return JSON.stringify({ code: 0, api_key: publicApiKey(record) });
  },

  create_api_key: async ({ office, params, caller }) => {
    const created = await office.records.createApiKey(params, caller);
    return JSON.stringify({ code: 0, ...created });
  },

  update_api_key: async ({ office, params, caller }) => {
    await office.records.updateApiKey(params, caller);
    return bareSuccess;
  },

  delete_api_key: async ({ office, params, caller }) => {
    await office.records.deleteApiKey(textParam(params, 'id'), caller);
    return bareSuccess;
  },
};
