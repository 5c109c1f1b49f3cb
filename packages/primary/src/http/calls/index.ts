import { type ApiCall, type ApiCallName, apiCalls, findCall } from '@carillon/contract';
import type { CallHandler, CallHandlers } from './call-context.js';
import { deliveryCalls } from './deliveries.js';
import { eventCalls } from './events.js';
import { historyCalls } from './history.js';
import { manageCalls } from './manage/index.js';
import { jobCalls } from './jobs.js';
import { logCalls } from './logs.js';
import { masterStateCalls } from './master-state.js';
import { runEventCalls } from './run-event.js';
import { upcomingCalls } from './upcoming.js';

export type { CallContext, CallHandler, CallReply, LogReply } from './call-context.js';
export { answerPing } from './ping.js';

/** A call of the API and the function that answers it on the primary; without one any node answers. */
export interface CallEntry {
  readonly name: ApiCallName;
  readonly call: ApiCall;
  readonly handler: CallHandler | undefined;
}

const handlers: CallHandlers = {
  ...eventCalls,
  ...runEventCalls,
  ...upcomingCalls,
  ...jobCalls,
  ...historyCalls,
  ...manageCalls,
  ...deliveryCalls,
  ...masterStateCalls,
  ...logCalls,
};

/** All calls by name. */
export const callEntries: ReadonlyMap<string, CallEntry> = new Map(
  Object.keys(apiCalls).flatMap((name) => {
    const call = findCall(name);
    return call === undefined ? [] : [[name, { name: call.name, call, handler: handlers[call.name] }]];
  }),
);
