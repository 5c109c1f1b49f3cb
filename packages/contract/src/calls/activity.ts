import { Type } from 'typebox';
import { DeliveryRow } from '../deliveries.js';
import { Id } from '../fields.js';
import { ListHeader } from '../records.js';
import type { ApiCall } from './api-call.js';
import { describe, page } from './parts.js';

/** Calls that tell what happened, for administrators. */
export const activityCalls = {
  get_deliveries: {
    summary: 'Web hooks and e-mails that were delivered or given up, newest first.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({
      job: Type.Optional(describe(Id, 'Only those of this job')),
      ...page(50),
    }),
    response: Type.Object({
      rows: Type.Array(DeliveryRow),
      list: ListHeader,
      waiting: Type.Integer({ description: 'Deliveries on their way' }),
    }),
    notes: '`waiting` counts those that are not delivered yet, of all jobs. docs/hooks.md says more.',
  },
} as const satisfies Record<string, ApiCall>;
