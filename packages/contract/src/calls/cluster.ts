import { Type } from 'typebox';
import { Count, Flag } from '../fields.js';
import type { ApiCall } from './api-call.js';
import { empty } from './parts.js';

/** The scheduler switch (behaviour reference 4.5). */
export const switchCalls = {
  get_master_state: {
    summary: 'Whether the scheduler is on.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'valid',
    primaryOnly: true,
    params: empty,
    response: Type.Object({ state: Type.Object({ enabled: Type.Integer() }) }),
  },
  update_master_state: {
    summary: 'Switch the scheduler on or off.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'state_update',
    primaryOnly: true,
    params: Type.Object({ enabled: Flag }),
    response: empty,
  },
  step_down: {
    summary: 'Let another node become primary.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({
      quiet: Type.Optional({
        ...Count,
        maximum: 3600,
        description: 'Seconds that this node leaves to the others before it competes again; defaults to 5',
      }),
    }),
    response: Type.Object({ term: Type.Integer({ description: 'Number of the term that has ended' }) }),
    notes:
      'Answers when this node has stopped its services and given up the lease. Jobs go on. Where no other node can be primary there is none until `quiet` is over.',
  },
} as const satisfies Record<string, ApiCall>;

/** Calls that any node answers without a credential (behaviour reference 1.8). */
export const nodeCalls = {
  ping: {
    summary: 'Is this node alive; any node answers, without a credential.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'none',
    primaryOnly: false,
    params: empty,
    response: empty,
  },
} as const satisfies Record<string, ApiCall>;
