import { bareSuccess } from '../reply/reply.js';
import type { CallHandlers } from './call-context.js';

/** Time that other nodes get when the caller names none: several attempts of each at the lease. */
const defaultQuietSec = 5;

/** The scheduler switch, and leaving office (behaviour reference 4.5). */
export const masterStateCalls: CallHandlers = {
  get_master_state: ({ office }) => {
    const { enabled, stats } = office.state;
    return JSON.stringify({ code: 0, state: { enabled, stats: stats.totals } });
  },

  update_master_state: async ({ office, params, caller }) => {
    await office.setEnabled(params['enabled'] ? 1 : 0, caller);
    return bareSuccess;
  },

  step_down: async ({ office, params, caller }) => {
    const { term } = office.session;
    const { quiet } = params;
    const quietSec = typeof quiet === 'number' ? quiet : defaultQuietSec;
    await office.stepDown(quietSec * 1000, caller);
    return JSON.stringify({ code: 0, term });
  },
};
