import { Type } from '../schema.js';
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

const known = Type.Object({
  total: Type.Integer(),
  ready: Type.Integer({ description: 'Connected, and takes jobs' }),
  draining: Type.Integer(),
  silent: Type.Integer({ description: 'No sign of life for some seconds' }),
  lost: Type.Integer(),
});

/** Calls about the cluster as a whole (behaviour reference 1.8, 2.3). */
export const clusterCalls = {
  status: {
    summary: 'How the cluster is: primary, store, servers, and how much there is to do.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'valid',
    primaryOnly: true,
    params: empty,
    response: Type.Object({
      version: Type.String({ description: 'Of the primary' }),
      node: Type.String({ description: 'Version of Node.js' }),
      hostname: Type.String({ description: 'Of the primary' }),
      pid: Type.Integer(),
      now: Type.Number({ description: 'Unix time on the primary' }),
      uptime: Type.Integer({ description: 'Seconds since the primary took office' }),
      last_tick: Type.Integer({
        description: 'Unix time of the last minute whose launches are done; 0 = none yet',
      }),
      tick_age: Type.Number({ description: 'Seconds since that minute began' }),
      enabled: Type.Integer({ description: 'Scheduler switch' }),
      primary: Type.Object({
        id: Type.String({ description: 'Node ID' }),
        url: Type.String(),
        term: Type.Integer({ description: 'Grows with each change of the primary' }),
      }),
      store: Type.Object({
        ready: Type.Integer({ description: '1 = the store (Redis) answers and takes writes' }),
        latency_ms: Type.Integer({ description: 'Of one write, just now' }),
      }),
      servers: known,
      versions: Type.Record(Type.String(), Type.Integer(), {
        description: 'Number of servers by the version they run',
      }),
      nodes: Type.Optional(
        Type.Array(Type.Object({}, { additionalProperties: true }), {
          description: 'Each server, for administrators: `id`, `hostname`, `master`, `version`, `health`, …',
        }),
      ),
      events: Type.Integer({ description: 'In the schedule, as far as the caller may see them' }),
      events_enabled: Type.Integer(),
      jobs: Type.Record(Type.String(), Type.Integer(), {
        description: 'Active jobs by state, as far as the caller may see them',
      }),
      deliveries_waiting: Type.Integer({ description: 'Web hooks and e-mails on their way' }),
    }),
    notes:
      'Servers are the nodes that run jobs; one with `master` 1 can be primary as well. A node that only stands by as primary is not known to the others.',
  },
  config: {
    summary: 'Settings that clients may need; never a secret.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'valid',
    primaryOnly: true,
    params: empty,
    response: Type.Object({
      version: Type.String(),
      master_hostname: Type.String(),
      config: Type.Object({}, { additionalProperties: true }),
    }),
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
