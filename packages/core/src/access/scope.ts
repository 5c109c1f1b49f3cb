import { CarillonError } from '@carillon/contract';
import { isHostnameInGroup } from '../catalog/server-group.js';
import type { ClusterState } from '../state/cluster-state.js';
import type { Caller } from './caller.js';
import { holdsPrivilege, missingPrivilege } from './privileges.js';

/** An event, a job, a history row: whatever belongs to a category and runs on a target. */
export interface ScopedObject {
  category: string;
  target: string;
}

/**
 * The privilege a caller with category or group limits lacks for an object, such as `cat_general` or `grp_web`;
 * undefined when nothing stands in the way (behaviour reference 2.5). A target that is one of the `hostnames`
 * (all known servers, lower-case) is allowed through any group the server is in, by its name or by its own
 * declaration. Any other target is taken for a group id and needs exactly that group.
 */
export function missingScope(
  caller: Caller,
  object: ScopedObject,
  state: ClusterState,
  hostnames: readonly string[],
): string | undefined {
  if (holdsPrivilege(caller, 'admin')) return undefined;
  const category = `cat_${object.category}`;
  if (holdsPrivilege(caller, 'cat_limit') && !holdsPrivilege(caller, category)) return category;
  if (!holdsPrivilege(caller, 'grp_limit')) return undefined;
  const hostname = object.target.toLowerCase();
  const isAllowed = hostnames.includes(hostname)
    ? groupsOf(hostname, state).some((group) => holdsPrivilege(caller, `grp_${group}`))
    : holdsPrivilege(caller, `grp_${object.target}`);
  return isAllowed ? undefined : `grp_${object.target}`;
}

/** Throws CarillonError when `missingScope` names a privilege (texts of behaviour reference 1.7). */
export function requireScope(
  caller: Caller,
  object: ScopedObject,
  state: ClusterState,
  hostnames: readonly string[],
): void {
  const missing = missingScope(caller, object, state, hostnames);
  if (missing !== undefined) throw missingPrivilege(caller, missing);
}

/**
 * Throws CarillonError when the caller's limits exclude an event that `chain` or `chain_error` names: whoever chains an
 * event has it launched. Limited callers cannot chain to what is not there yet, since anything could come to be there.
 */
export function requireChainScope(
  caller: Caller,
  fields: Readonly<Record<string, unknown>>,
  state: ClusterState,
  hostnames: readonly string[],
): void {
  if (!isLimited(caller)) return;
  for (const name of ['chain', 'chain_error']) {
    const id = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (typeof id !== 'string' || id === '') continue;
    const event = state.events.get(id);
    if (event === undefined) throw new CarillonError('event', `Failed to locate event: ${id}`);
    requireScope(caller, event, state, hostnames);
  }
}

/** Does the caller have category or group limits at all? Administrators never do. */
export const isLimited = (caller: Caller): boolean =>
  !holdsPrivilege(caller, 'admin') &&
  (holdsPrivilege(caller, 'cat_limit') || holdsPrivilege(caller, 'grp_limit'));

/** Ids of all groups a server is in. */
function groupsOf(hostname: string, state: ClusterState): string[] {
  const groups: string[] = [];
  for (const group of state.server_groups.newestFirst()) {
    if (isHostnameInGroup(group, hostname)) groups.push(group.id);
  }
  for (const server of state.servers.newestFirst()) {
    if (server.hostname === hostname) groups.push(...server.groups);
  }
  return groups;
}
