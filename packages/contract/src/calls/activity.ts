import { Type } from '../schema.js';
import { DeliveryRow } from '../deliveries.js';
import { Id } from '../fields.js';
import { ListHeader } from '../records.js';
import type { ApiCall } from './api-call.js';
import { describe, page } from './parts.js';

/** An entry of the activity log (behaviour reference 3.6). */
const ActivityRow = Type.Object(
  {
    action: Type.String({ description: 'Such as `event_update`, `cat_create`, `job_delete` or `warning`' }),
    epoch: Type.Integer({ description: 'Unix time' }),
    username: Type.Optional(Type.String()),
    api_title: Type.Optional(Type.String({ description: 'Title of the API key that was used' })),
  },
  { additionalProperties: true },
);

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
  get_activity: {
    summary: 'What was done and what went wrong, newest first.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({ ...page(50) }),
    response: Type.Object({ rows: Type.Array(ActivityRow), list: ListHeader }),
    notes:
      'Entries hold no credentials: `api_key` is the ID of a key record, and neither request headers nor hidden values of plugins are noted. `list_row_max` entries are kept.',
  },
} as const satisfies Record<string, ApiCall>;
