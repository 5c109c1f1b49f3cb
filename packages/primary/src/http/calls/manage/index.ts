import type { CallHandlers } from '../call-context.js';
import { activityCalls } from './activity.js';
import { apiKeyCalls } from './api-keys.js';
import { categoryCalls } from './categories.js';
import { clusterCalls } from './cluster.js';
import { completedJobCalls } from './completed-jobs.js';
import { pluginCalls } from './plugins.js';
import { serverGroupCalls } from './server-groups.js';
import { serverCalls } from './servers.js';
import { sessionCalls } from './sessions.js';
import { transferCalls } from './transfer.js';
import { userCalls } from './users.js';

/** Calls that administer the cluster. */
export const manageCalls: CallHandlers = {
  ...categoryCalls,
  ...pluginCalls,
  ...serverGroupCalls,
  ...apiKeyCalls,
  ...serverCalls,
  ...activityCalls,
  ...userCalls,
  ...sessionCalls,
  ...clusterCalls,
  ...completedJobCalls,
  ...transferCalls,
};
