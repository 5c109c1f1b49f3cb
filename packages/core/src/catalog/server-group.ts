import type { ServerGroupRecord } from '@carillon/contract';

/**
 * True when the host name matches the group's regular expression, unanchored and whatever the case (host names have
 * none). An expression that does not compile matches nothing.
 */
export function isHostnameInGroup(group: ServerGroupRecord, hostname: string): boolean {
  try {
    return new RegExp(group.regexp, 'i').test(hostname);
  } catch {
    return false;
  }
}

/** True when a server belongs to a group: by its host name, or because it declares the group as a label. */
export function isInGroup(
  group: ServerGroupRecord,
  server: { readonly hostname: string; readonly groups: readonly string[] },
): boolean {
  return server.groups.includes(group.id) || isHostnameInGroup(group, server.hostname);
}

/** Ids of all groups a server is in, those that only it declares among them; each once. */
export function groupsOfServer(
  server: { readonly hostname: string; readonly groups: readonly string[] },
  groups: Iterable<ServerGroupRecord>,
): string[] {
  const ids = new Set(server.groups);
  for (const group of groups) if (isHostnameInGroup(group, server.hostname)) ids.add(group.id);
  return [...ids];
}
