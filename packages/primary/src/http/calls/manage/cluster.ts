import { hasPrivilege, isLimited, missingScope } from '@carillon/core';
import type { CallHandlers } from '../call-context.js';

/** Calls about the cluster as a whole (behaviour reference 1.8, 2.3). */
export const clusterCalls: CallHandlers = {
  status: async ({ office, caller }) => {
    const hostnames = isLimited(caller) ? office.hostnames() : undefined;
    const status = await office.cluster.read({
      isVisible: (object) =>
        hostnames === undefined || missingScope(caller, object, office.state, hostnames) === undefined,
      withNodes: hasPrivilege(caller, 'admin'),
    });
    return JSON.stringify({ code: 0, ...status });
  },

  config: ({ office }) => JSON.stringify({ code: 0, ...office.cluster.config() }),
};
