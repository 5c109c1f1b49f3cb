import {
  apiCalls,
  CarillonError,
  type CategoryRecord,
  categorySettings,
  checkParameters,
} from '@carillon/contract';
import type { ClusterState } from '../state/cluster-state.js';
import { type CatalogContext, chooseId, creatorOf, notFound, pickSettings } from './record-fields.js';

/**
 * The record of a new category (behaviour reference 2.3); it is enabled unless the fields say otherwise. Throws
 * CarillonError `api` for malformed fields and `category` for an id that is taken.
 */
export function planCategoryCreation(
  fields: Readonly<Record<string, unknown>>,
  context: CatalogContext,
): CategoryRecord {
  checkParameters(apiCalls.create_category, fields);
  const { title = '', ...settings } = pickSettings(categorySettings, fields);
  const kind = { table: context.state.categories, noun: 'category', code: 'category' } as const;
  return {
    enabled: 1,
    max_children: 0,
    ...settings,
    id: chooseId(fields, context, kind),
    title,
    created: context.nowSec,
    modified: context.nowSec,
    ...creatorOf(context.caller),
  };
}

/**
 * The record of a category with the given settings replaced. Throws CarillonError `api` for malformed fields, and
 * `event` when there is no such category: the peer's code.
 */
export function planCategoryUpdate(
  fields: Readonly<Record<string, unknown>>,
  context: Pick<CatalogContext, 'state' | 'nowSec'>,
): CategoryRecord {
  checkParameters(apiCalls.update_category, fields);
  const id = String(fields['id']);
  const current = context.state.categories.get(id);
  if (current === undefined) throw new CarillonError('event', `Failed to locate category: ${id}`);
  return { ...current, ...pickSettings(categorySettings, fields), modified: context.nowSec };
}

/**
 * The category, when it may be deleted. Throws CarillonError `plugin` (the peer's code) while events are in it, and
 * `category` when there is none.
 */
export function planCategoryDeletion(id: string, state: ClusterState): CategoryRecord {
  for (const event of state.events.newestFirst()) {
    if (event.category === id) {
      throw new CarillonError('plugin', 'Failed to delete category: Still in use by one or more events.');
    }
  }
  const category = state.categories.get(id);
  if (category === undefined) throw notFound('category', 'Failed to delete category');
  return category;
}
