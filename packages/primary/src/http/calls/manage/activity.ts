import { type CallHandlers, fromStore } from '../call-context.js';
import { listHeader, readPage } from '../paging.js';

/** The activity log (behaviour reference 2.3). */
export const activityCalls: CallHandlers = {
  get_activity: async (context) => {
    const { offset, limit } = readPage(context.params, 50);
    const { rows, length } = await fromStore(context, context.office.activity(offset, limit));
    return JSON.stringify({ code: 0, rows, list: listHeader(length) });
  },
};
