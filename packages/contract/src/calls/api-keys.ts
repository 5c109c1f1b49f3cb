import { Type } from '../schema.js';
import { apiKeySettings, ApiKeySchema, KeyText } from '../catalog-fields.js';
import { Id, Title } from '../fields.js';
import { ListHeader } from '../records.js';
import type { ApiCall } from './api-call.js';
import { describe, empty, pageOfAll } from './parts.js';

const recordId = describe(Id, 'ID of the key record; not the key');

/** Calls about API keys (behaviour reference 2.3). Keys are stored as digests and answered once, when created. */
export const apiKeyCalls = {
  get_api_keys: {
    summary: 'List API keys, newest first, without the keys themselves.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({ ...pageOfAll() }),
    response: Type.Object({ rows: Type.Array(ApiKeySchema), list: ListHeader }),
  },
  get_api_key: {
    summary: 'One API key, without the key itself.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({ id: recordId }),
    response: Type.Object({ api_key: ApiKeySchema }),
  },
  create_api_key: {
    summary: 'Create an API key.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({
      ...apiKeySettings,
      title: Title,
      key: Type.Optional(describe(KeyText, 'The key; 32 random hex digits when absent')),
    }),
    response: Type.Object({
      id: Id,
      key: describe(KeyText, 'The key: this is the only time it is answered'),
    }),
  },
  update_api_key: {
    summary: 'Replace the given properties of an API key.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({
      ...apiKeySettings,
      id: recordId,
      key: Type.Optional(describe(KeyText, 'A new key; the old one is refused from now on')),
    }),
    response: empty,
    notes: 'The last active key of an administrator can be neither disabled nor deprived of `admin`.',
  },
  delete_api_key: {
    summary: 'Delete an API key.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({ id: recordId }),
    response: empty,
    notes:
      'The last active key of an administrator cannot be deleted. The key of `CARILLON_BOOTSTRAP_API_KEY` comes back when a node becomes primary, as long as it is configured.',
  },
} as const satisfies Record<string, ApiCall>;
