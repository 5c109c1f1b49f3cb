import { Type } from '../schema.js';
import { serverGroupSettings, ServerGroupSchema, WishedId } from '../catalog-fields.js';
import { Id, Title } from '../fields.js';
import { ListHeader } from '../records.js';
import type { ApiCall } from './api-call.js';
import { describe, empty, pageOfAll } from './parts.js';

const groupId = describe(Id, 'Server group ID');
const required = { title: Title, regexp: Type.String({ pattern: '\\S', maxLength: 1024 }) };

/** Calls about server groups (behaviour reference 2.3); the list is an addition to it. */
export const serverGroupCalls = {
  get_server_groups: {
    summary: 'List server groups, newest first.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'valid',
    primaryOnly: true,
    params: Type.Object({ ...pageOfAll() }),
    response: Type.Object({ rows: Type.Array(ServerGroupSchema), list: ListHeader }),
    notes: 'Groups that only workers declare (`CARILLON_GROUPS`) have no record and are not among them.',
  },
  create_server_group: {
    summary: 'Create a server group.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({ ...required, ...serverGroupSettings, id: Type.Optional(WishedId), ...required }),
    response: Type.Object({ id: Id }),
    notes: 'A regular expression that does not compile is refused with code `group`.',
  },
  update_server_group: {
    summary: 'Replace the given properties of a server group.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({ ...serverGroupSettings, id: groupId }),
    response: empty,
  },
  delete_server_group: {
    summary: 'Delete a server group that is no target of an event.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({ id: groupId }),
    response: empty,
    notes: 'While events target it the code of the refusal is `plugin`, as clients of the peer know it.',
  },
} as const satisfies Record<string, ApiCall>;
