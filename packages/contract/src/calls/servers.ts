import { Type } from '../schema.js';
import { Count } from '../fields.js';
import type { ApiCall } from './api-call.js';
import { describe, empty } from './parts.js';

const flag = (description: string) => Type.Union([Type.Literal(0), Type.Literal(1)], { description });
const hostname = Type.String({
  minLength: 1,
  maxLength: 255,
  description: 'Host name, or the ID of the server; the ID is needed where several servers share a name',
});
const grace = Type.Optional(
  describe(Count, 'Seconds that running jobs get to finish; the setting of the server when absent'),
);
const drainNote =
  'The server takes no more jobs, those that have not started go elsewhere, running ones may finish within the grace period and are then aborted. Detached jobs are left running.';

/** A worker as answered (behaviour reference 3.5, with more). */
const ServerSchema = Type.Object({
  id: Type.String(),
  hostname: Type.String(),
  ip: Type.String(),
  master: flag('1 = its node can be primary as well'),
  groups: Type.Array(Type.String(), {
    description: 'IDs of all groups it is in, by name or by its own word',
  }),
  slots: Type.Integer({ description: 'Most jobs at one time; 0 = no limit' }),
  active_jobs: Type.Integer(),
  draining: flag('1 = it takes no more jobs'),
  health: Type.String({ description: '`alive`, `silent` (no sign of life for some seconds) or `lost`' }),
  disabled: flag('1 = not connected to the primary'),
  uptime: Type.Integer({ description: 'Seconds since this process of it has been known to the primary' }),
  data: Type.Object(
    { cpu: Type.Number(), mem: Type.Number() },
    { description: 'Of its own process: percent of one core, bytes' },
  ),
  created: Type.Integer({ description: 'Unix time of first contact' }),
});

/** Calls about the servers that run jobs (behaviour reference 2.3). */
export const serverCalls = {
  get_servers: {
    summary: 'All servers that run jobs, by host name.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'admin',
    primaryOnly: true,
    params: empty,
    response: Type.Object({ servers: Type.Record(Type.String(), ServerSchema) }),
    notes:
      'Of servers that share a host name only the one known longest has it for its key; the others have `HOSTNAME (ID)`. Workers register themselves: there is no call to add one.',
  },
  restart_server: {
    summary: 'Drain a server and start it anew.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({ hostname, grace }),
    response: empty,
    notes: `${drainNote} Then a new worker process takes its place. Answers when the server has been told. Code 1 when it is unknown or not connected.`,
  },
  shutdown_server: {
    summary: 'Drain a server and let it end.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({ hostname, grace }),
    response: empty,
    notes: `${drainNote} Then its worker ends, and its node with it unless that can be primary; it comes back when the node is started again. Answers when the server has been told. Code 1 when it is unknown or not connected.`,
  },
  remove_server: {
    summary: 'Forget a server that is not connected and has no jobs.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({ hostname }),
    response: empty,
    notes: 'Drained servers are forgotten by themselves, lost ones after `dead_job_timeout`.',
  },
} as const satisfies Record<string, ApiCall>;
