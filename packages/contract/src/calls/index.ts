import type { Static } from 'typebox';
import { sessionCalls } from './accounts/session-calls.js';
import { userCalls } from './accounts/user-calls.js';
import { activityCalls } from './activity.js';
import type { ApiCall } from './api-call.js';
import { apiKeyCalls } from './api-keys.js';
import { categoryCalls } from './categories.js';
import { clusterCalls, nodeCalls, switchCalls } from './cluster.js';
import { eventCalls } from './events.js';
import { jobCalls, logCalls } from './jobs.js';
import { pluginCalls } from './plugins.js';
import { serverGroupCalls } from './server-groups.js';
import { serverCalls } from './servers.js';
import { transferCalls } from './transfer/index.js';

export * from './api-call.js';
export { importGone } from './transfer/index.js';

/** Every call of the API: the source of validation, of `docs/api.md` and of the SDK. */
export const apiCalls = {
  ...eventCalls,
  ...jobCalls,
  ...categoryCalls,
  ...pluginCalls,
  ...serverGroupCalls,
  ...apiKeyCalls,
  ...serverCalls,
  ...activityCalls,
  ...transferCalls,
  ...userCalls,
  ...sessionCalls,
  ...switchCalls,
  ...clusterCalls,
  ...logCalls,
  ...nodeCalls,
} as const satisfies Record<string, ApiCall>;

export type ApiCallName = keyof typeof apiCalls;
/** Parameters of a call. */
export type CallParams<Name extends ApiCallName> = Static<(typeof apiCalls)[Name]['params']>;
/** Fields of a successful answer beside `code`. */
export type CallAnswer<Name extends ApiCallName> = Static<(typeof apiCalls)[Name]['response']>;

/** `^name$` of a known call; never looks at prototypes. */
export function findCall(name: string): (ApiCall & { name: ApiCallName }) | undefined {
  if (!Object.hasOwn(apiCalls, name)) return undefined;
  const key = name as ApiCallName;
  return { ...apiCalls[key], name: key };
}

/** Path of a call, as the reference prints it. */
export function callPath(name: ApiCallName): string {
  const call: ApiCall = apiCalls[name];
  return call.area === 'user' ? `/api/user/${name.slice('user_'.length)}/v1` : `/api/app/${name}/v1`;
}
