import type { ApiCall } from '../api-call.js';
import { exportCalls } from './exports.js';
import { importCalls } from './imports.js';

export { importGone } from './imports.js';

/** Calls that take everything out of a cluster, or put it in. */
export const transferCalls = { ...exportCalls, ...importCalls } as const satisfies Record<string, ApiCall>;
