import { ApiError, type CarillonClient, UnreachableError } from '@carillon/client';
import { nearestName } from './nearest.js';
import type { Session } from './session.js';

/**
 * Says that the target of an event is no group and no server of now: the API takes it all the same, as Cronicle does
 * (behaviour reference 2.1, create_event), since a server may join later. Silent where the caller may not see the servers.
 * Never throws for what the cluster answers: the event has been stored.
 */
export async function noteUnknownTarget(
  { client, warn }: Pick<Session, 'client' | 'warn'>,
  target: unknown,
): Promise<void> {
  if (typeof target !== 'string') return;
  const known = await knownTargets(client).catch((error: unknown) => {
    if (error instanceof ApiError || error instanceof UnreachableError) return undefined;
    throw error;
  });
  if (known === undefined || known.has(target)) return;
  const near = nearestName(target, [...known]);
  warn(
    `target ${target}: no server and no group of that name is known now${near === undefined ? '' : ` (did you mean ${near}?)`}; kept all the same`,
  );
}

/** Ids of groups, host names, and the groups that only workers name. */
async function knownTargets(client: CarillonClient): Promise<ReadonlySet<string>> {
  const [{ rows }, { servers }] = await Promise.all([client.getServerGroups(), client.getServers()]);
  const named = Object.values(servers).flatMap(({ hostname, groups }) => [hostname, ...groups]);
  return new Set([...rows.map(({ id }) => id), ...named]);
}
