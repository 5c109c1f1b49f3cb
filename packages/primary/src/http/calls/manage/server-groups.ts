import { bareSuccess } from '../../reply/reply.js';
import { type CallHandlers, textParam } from '../call-context.js';
import { tableJson } from '../paging.js';

/** Calls about server groups (behaviour reference 2.3). */
export const serverGroupCalls: CallHandlers = {
  get_server_groups: ({ office, params }) => tableJson(params, office.state.server_groups),

  create_server_group: async ({ office, params, caller }) => {
    const id = await office.records.createServerGroup(params, caller);
    return JSON.stringify({ code: 0, id });
  },

  update_server_group: async ({ office, params, caller }) => {
    await office.records.updateServerGroup(params, caller);
    return bareSuccess;
  },

  delete_server_group: async ({ office, params, caller }) => {
    await office.records.deleteServerGroup(textParam(params, 'id'), caller);
    return bareSuccess;
  },
};
