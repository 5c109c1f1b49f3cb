import {
  apiCalls,
  CarillonError,
  checkParameters,
  type ServerGroupRecord,
  serverGroupSettings,
} from '@carillon/contract';
import type { ClusterState } from '../state/cluster-state.js';
import { type CatalogContext, chooseId, notFound, pickSettings } from './record-fields.js';

/**
 * The record of a new server group (behaviour reference 2.3). Throws CarillonError `api` for malformed fields, and
 * `group` for a regular expression that does not compile (13 #16) or an id that is taken.
 */
export function planServerGroupCreation(
  fields: Readonly<Record<string, unknown>>,
  context: Pick<CatalogContext, 'state' | 'newId'>,
): ServerGroupRecord {
  checkParameters(apiCalls.create_server_group, fields);
  const { title = '', regexp = '', master = 0, ...rest } = pickSettings(serverGroupSettings, fields);
  checkGroupExpression(regexp, 'Failed to create server group');
  const kind = { table: context.state.server_groups, noun: 'server group', code: 'group' } as const;
  return { ...rest, id: chooseId(fields, context, kind), title, regexp, master };
}

/**
 * The record of a group with the given settings replaced. Throws CarillonError like `planServerGroupCreation`, and
 * `group` when there is no such group.
 */
export function planServerGroupUpdate(
  fields: Readonly<Record<string, unknown>>,
  state: ClusterState,
): ServerGroupRecord {
  checkParameters(apiCalls.update_server_group, fields);
  const current = state.server_groups.get(String(fields['id']));
  if (current === undefined) throw notFound('group', 'Failed to update server group');
  const record = { ...current, ...pickSettings(serverGroupSettings, fields) };
  checkGroupExpression(record.regexp, 'Failed to update server group');
  return record;
}

/**
 * The group, when it may be deleted. Throws CarillonError `plugin` (the peer's code) while it is the target of events,
 * and `group` when there is none.
 */
export function planServerGroupDeletion(id: string, state: ClusterState): ServerGroupRecord {
  for (const event of state.events.newestFirst()) {
    if (event.target === id) {
      throw new CarillonError(
        'plugin',
        'Failed to delete server group: Still targeted by one or more events.',
      );
    }
  }
  const group = state.server_groups.get(id);
  if (group === undefined) throw notFound('group', 'Failed to delete server group');
  return group;
}

export function checkGroupExpression(regexp: string, failure: string): void {
  try {
    new RegExp(regexp, 'i');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CarillonError('group', `${failure}: ${reason}`);
  }
}
