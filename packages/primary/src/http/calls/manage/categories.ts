import { bareSuccess } from '../../reply/reply.js';
import { type CallHandlers, textParam } from '../call-context.js';
import { tableJson } from '../paging.js';

/** Calls about categories (behaviour reference 2.3). */
export const categoryCalls: CallHandlers = {
  get_categories: ({ office, params }) => tableJson(params, office.state.categories),

  create_category: async ({ office, params, caller }) => {
    const id = await office.records.createCategory(params, caller);
    return JSON.stringify({ code: 0, id });
  },

  update_category: async ({ office, params, caller }) => {
    await office.records.updateCategory(params, caller);
    return bareSuccess;
  },

  delete_category: async ({ office, params, caller }) => {
    await office.records.deleteCategory(textParam(params, 'id'), caller);
    return bareSuccess;
  },
};
