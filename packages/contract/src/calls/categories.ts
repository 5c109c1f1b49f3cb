import { Type } from '../schema.js';
import { categorySettings, CategorySchema, WishedId } from '../catalog-fields.js';
import { Count, Flag, Id, Title } from '../fields.js';
import { ListHeader } from '../records.js';
import type { ApiCall } from './api-call.js';
import { describe, empty, pageOfAll } from './parts.js';

const categoryId = describe(Id, 'Category ID');
const required = { title: Title, max_children: Count };

/** Calls about categories (behaviour reference 2.3). */
export const categoryCalls = {
  get_categories: {
    summary: 'List categories, newest first.',
    methods: ['GET', 'POST'],
    merge: 'query-wins',
    auth: 'valid',
    primaryOnly: true,
    params: Type.Object({ ...pageOfAll() }),
    response: Type.Object({ rows: Type.Array(CategorySchema), list: ListHeader }),
  },
  create_category: {
    summary: 'Create a category.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({ ...required, ...categorySettings, id: Type.Optional(WishedId), ...required }),
    response: Type.Object({ id: Id }),
  },
  update_category: {
    summary: 'Replace the given properties of a category.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({
      ...categorySettings,
      id: categoryId,
      abort_jobs: Type.Optional(
        describe(Flag, 'With enabled = 0: also abort its running jobs, except detached ones'),
      ),
    }),
    response: empty,
    notes:
      'Counts for launches at once; queued jobs start when a limit rises. With a truthy `enabled` the events with `catch_up` make up what they are behind.',
  },
  delete_category: {
    summary: 'Delete a category that no event is in.',
    methods: ['POST'],
    merge: 'body-only',
    auth: 'admin',
    primaryOnly: true,
    params: Type.Object({ id: categoryId }),
    response: empty,
    notes: 'While events use it the code of the refusal is `plugin`, as clients of the peer know it.',
  },
} as const satisfies Record<string, ApiCall>;
