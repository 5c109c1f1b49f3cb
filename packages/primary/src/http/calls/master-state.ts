import { bareSuccess } from '../reply/reply.js';
import type { CallHandlers } from './call-context.js';

/** The scheduler switch (behaviour reference 4.5). */
export const masterStateCalls: CallHandlers = {
  get_master_state: ({ office }) => {
    const { enabled, stats } = office.state;
    return JSON.stringify({ code: 0, state: { enabled, stats: stats.totals } });
  },

  update_master_state: async ({ office, params, caller }) => {
    await office.setEnabled(params['enabled'] ? 1 : 0, caller);
    return bareSuccess;
  },
};
