import { Type } from '../../schema.js';
import { Id } from '../../fields.js';
import type { ApiCall } from '../api-call.js';
import { describe, empty } from '../parts.js';

const exportId = describe(Id, 'What `begin_export` answered');

/** Calls that take everything out of a cluster: for `carillon export`. */
export const exportCalls = {
  begin_export: {
    summary: 'Begin an export of everything but logs, as it is at this moment.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: empty,
    response: Type.Object({
      export: Id,
      header: describe(Type.Record(Type.String(), Type.Unknown()), 'First line of the file'),
    }),
    notes:
      'The answers hold the digests of API keys and everything that events and plugins hold. An export that nobody reads for 15 minutes, or whose lists are not read within 55, is forgotten, and so are all of them when the primary changes.',
  },
  read_export: {
    summary: 'The next part of an export.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({
      export: exportId,
      position: Type.Optional(
        describe(Type.String({ maxLength: 256 }), 'Where the last answer said to go on'),
      ),
    }),
    response: Type.Object({
      lines: describe(Type.Array(Type.Unknown()), 'Lines of the file, as objects'),
      next: Type.Optional(describe(Type.String(), 'Where to go on; absent at the end')),
    }),
    notes: 'Repeated with the same position it answers the same lines.',
  },
} as const satisfies Record<string, ApiCall>;
