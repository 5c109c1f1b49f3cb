import { Type } from '../../schema.js';
import { Count, Id } from '../../fields.js';
import type { ApiCall } from '../api-call.js';
import { describe, empty } from '../parts.js';

const importId = describe(Id, 'What `begin_import` answered');

const TableReport = Type.Object({
  added: Count,
  replaced: Count,
  same: describe(Count, 'Exactly as in the cluster already'),
  kept: describe(Count, "Left as they are in the cluster, with `existing` = 'keep'"),
});

/** Begins the refusal of an import that the primary no longer knows: nothing of it was carried out by that import. */
export const importGone = 'There is no such import, or no longer';

/** Calls that put into a cluster what an export has taken out: for `carillon import`. */
export const importCalls = {
  begin_import: {
    summary: 'Begin an import: nothing is changed before `finish_import`.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: empty,
    response: Type.Object({ import: Id }),
    notes:
      'An import to which nothing is added for 15 minutes is forgotten, and so are all of them when the primary changes.',
  },
  add_to_import: {
    summary: 'Add lines to an import.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({
      import: importId,
      part: describe(
        Count,
        'Counts the calls of an import, from 0; one that was added already is not added again',
      ),
      lines: describe(Type.Array(Type.Unknown()), 'Lines of an export, as objects, in their order'),
    }),
    response: empty,
    notes: 'A line that is malformed ends the import.',
  },
  finish_import: {
    summary: 'Carry out an import, all of it or, if anything is in the way, nothing.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({
      import: importId,
      parts: describe(Count, 'How many parts were added'),
      source: Type.Optional(
        describe(Type.String({ pattern: '^[\\w .-]*$', maxLength: 64 }), 'Noted in the activity log'),
      ),
      dry_run: Type.Optional(describe(Type.Boolean(), 'Only answer what would be done')),
      existing: Type.Optional(
        describe(
          Type.Union([Type.Literal('refuse'), Type.Literal('keep'), Type.Literal('replace')]),
          'What happens with records that the cluster has under the same ID with other content: nothing at all is imported (default), those of the cluster stay, those of the import take their place',
        ),
      ),
      paused: Type.Optional(describe(Type.Boolean(), 'Switch the scheduler off with the import')),
      catch_up: Type.Optional(
        describe(
          Type.Boolean(),
          'False: events that catch up go on from now instead of where the export left them',
        ),
      ),
      partial: Type.Optional(
        describe(
          Type.Boolean(),
          'Leave out events whose plugin or category does not exist, instead of refusing',
        ),
      ),
    }),
    response: Type.Object({
      imported: describe(Type.Boolean(), 'False after a dry run'),
      tables: Type.Record(Type.String(), TableReport),
      past: describe(Type.Record(Type.String(), Count), 'Lines taken in about what is over, by type'),
      obstacles: describe(Type.Array(Type.String()), 'Why it would be refused; only after a dry run'),
      warnings: describe(Type.Array(Type.String()), 'What should be looked at'),
    }),
  },
} as const satisfies Record<string, ApiCall>;
