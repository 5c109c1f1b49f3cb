import { CarillonError, type EventRecord } from '@carillon/contract';
import { groupsOfServer } from '../catalog/server-group.js';
import type { Change } from '../state/change.js';
import type { ClusterState } from '../state/cluster-state.js';
import type { ImportData } from './import-data.js';
import { planImportedCursors } from './imported-cursors.js';
import { type Collision, findCollisions, untouchedSetup } from './collisions.js';
import { type TransferTable, transferTables } from './transfer-tables.js';

/** What the one who imports decides. */
export interface ImportOptions {
  /** What becomes of a record whose id the cluster has with other content: nothing at all, the cluster's, the import's. */
  existing: 'refuse' | 'keep' | 'replace';
  /** Switch the scheduler off with the import. */
  paused: boolean;
  /** Catch-up events go on where the export left them; otherwise from now. */
  catchUp: boolean;
  /** Leave out events whose plugin or category is nowhere, instead of refusing everything. */
  partial: boolean;
}

export interface ImportContext {
  state: ClusterState;
  /** Unix milliseconds. */
  nowMs: number;
  /** For events that name no time zone. */
  defaultTimezone: string;
  /** Host names of the servers that are known now, lower case. */
  hostnames: readonly string[];
}

/** What became, or would become, of the records of a table. */
export interface TableReport {
  added: number;
  replaced: number;
  /** Exactly as in the cluster already. */
  same: number;
  /** The cluster's own stay. */
  kept: number;
}

export interface ImportPlan {
  /** For one commit; empty of nothing but the past. */
  changes: Change[];
  tables: Record<TransferTable, TableReport>;
  /** Why the import is refused; empty when it can be carried out. */
  obstacles: string[];
  /** What an operator should look at. */
  warnings: string[];
}

const refusal = 'nothing was imported';

/**
 * What an import changes in the memory of the primary, all of it or, with obstacles, nothing. Records keep the order of
 * the import and stand in front of those the cluster had. Importing the same again changes nothing but that order.
 */
export function planImport(data: ImportData, options: ImportOptions, context: ImportContext): ImportPlan {
  const { state } = context;
  const collisions = findCollisions(data, state, options.existing);
  const lost = unplaceableEvents(data, state);
  const obstacles = [...collisions.refused];
  if (!options.partial) obstacles.push(...lost.values());
  const tables = emptyReport();
  const changes: Change[] = [];
  const setup = options.existing === 'keep' ? [] : untouchedSetup(data, state);
  for (const { table, id } of [...collisions.removed, ...setup]) changes.push({ type: 'delete', table, id });
  for (const table of transferTables) {
    for (const change of planTable(table, collisions.of(table), context, lost)) {
      changes.push(change);
    }
    countTable(tables[table], collisions.of(table), lost);
  }
  changes.push(...endedSessions(collisions.of('users'), state));
  // Their history was put aside with that of the others, and would stay for ever.
  for (const event of lost.keys()) {
    if (state.events.get(event) === undefined) changes.push({ type: 'forget-event', event });
  }
  const placed = new Set(
    collisions
      .of('events')
      .filter(({ id, fate }) => fate !== 'kept' && !lost.has(id))
      .map(({ id }) => id),
  );
  changes.push(...planImportedCursors(data, placed, options, context));
  if (!leavesAdministrator(changes, state)) {
    obstacles.push('No active key of an administrator would be left');
  }
  const warnings = [...(options.partial ? lost.values() : []), ...findWarnings(data, context)];
  return { changes, tables, obstacles, warnings };
}

/** The refusal of an import that has obstacles. Throws CarillonError `api`, otherwise nothing. */
export function refuseObstacles({ obstacles }: ImportPlan): void {
  if (obstacles.length === 0) return;
  const shown = obstacles.slice(0, 20).join('; ');
  const more = obstacles.length > 20 ? `; and ${obstacles.length - 20} more` : '';
  throw new CarillonError('api', `Failed to import, ${refusal}: ${shown}${more}`);
}

/** Largest place first, so that the order of the import is that of the table. */
function planTable(
  table: TransferTable,
  entries: readonly Collision[],
  { state, defaultTimezone }: ImportContext,
  lost: ReadonlyMap<string, string>,
): Change[] {
  const written = entries.filter(({ fate, id }) => fate !== 'kept' && !(table === 'events' && lost.has(id)));
  const first = state[table].nextSeq;
  return written.map(({ record }, index): Change => {
    const seq = first + written.length - 1 - index;
    const stored =
      table === 'events' && record['timezone'] === '' ? { ...record, timezone: defaultTimezone } : record;
    // The record was checked for this table when it came in.
    return { type: 'put', table, seq, record: stored as never };
  });
}

function countTable(
  report: TableReport,
  entries: readonly Collision[],
  lost: ReadonlyMap<string, string>,
): void {
  for (const { fate, table, id } of entries) {
    if (table === 'events' && lost.has(id)) continue;
    report[fate] += 1;
  }
}

/** Events whose plugin or category is neither in the import nor in the cluster, with the reason, by id. */
function unplaceableEvents(data: ImportData, state: ClusterState): Map<string, string> {
  const lost = new Map<string, string>();
  const has = (table: 'plugins' | 'categories', id: string) =>
    data.tables[table].has(id) || state[table].get(id) !== undefined;
  for (const event of data.tables.events.values()) {
    const missing = [
      ...(has('plugins', event.plugin) ? [] : [`plugin ${event.plugin}`]),
      ...(has('categories', event.category) ? [] : [`category ${event.category}`]),
    ];
    if (missing.length > 0) lost.set(event.id, `event ${nameOf(event)}: no ${missing.join(', no ')}`);
  }
  return lost;
}

/** What will work otherwise than meant once the import is done. */
function findWarnings(data: ImportData, { state, hostnames }: ImportContext): string[] {
  const groups = [...data.tables.server_groups.values()];
  const groupIds = new Set([
    ...groups.map(({ id }) => id),
    ...[...state.server_groups.newestFirst()].map(({ id }) => id),
  ]);
  const servers = new Set(hostnames);
  const warnings: string[] = [];
  for (const event of data.tables.events.values()) {
    if (!groupIds.has(event.target) && !servers.has(event.target.toLowerCase())) {
      warnings.push(`event ${nameOf(event)}: its target ${event.target} is no group and no known server`);
    }
    for (const key of ['chain', 'chain_error'] as const) {
      const next = event[key];
      if (!next || data.tables.events.has(next) || state.events.get(next) !== undefined) continue;
      warnings.push(`event ${nameOf(event)}: ${key} names the event ${next}, which does not exist`);
    }
  }
  for (const group of groups) {
    const hasMember = hostnames.some((hostname) =>
      groupsOfServer({ hostname, groups: [] }, [group]).includes(group.id),
    );
    if (!hasMember) warnings.push(`server group ${group.id}: no known server matches ${group.regexp}`);
  }
  return warnings;
}

/** Another password, or none any more: who is logged in has to log in again. */
function endedSessions(users: readonly Collision[], state: ClusterState): Change[] {
  const replaced = new Set(users.filter(({ fate }) => fate === 'replaced').map(({ id }) => id));
  return [...state.sessions.newestFirst()]
    .filter(({ user }) => replaced.has(user))
    .map(({ id }): Change => ({ type: 'delete', table: 'sessions', id }));
}

const nameOf = ({ id, title }: EventRecord): string => `${id} (${title})`;

/** Without one nobody could administer the cluster any more. */
function leavesAdministrator(changes: readonly Change[], state: ClusterState): boolean {
  const keys = new Map([...state.api_keys.newestFirst()].map((key) => [key.id, key]));
  for (const change of changes) {
    if (change.type === 'delete' && change.table === 'api_keys') keys.delete(change.id);
    if (change.type === 'put' && change.table === 'api_keys') keys.set(change.record.id, change.record);
  }
  return [...keys.values()].some(({ active, privileges }) => active === 1 && Boolean(privileges['admin']));
}

function emptyReport(): Record<TransferTable, TableReport> {
  const empty = (): TableReport => ({ added: 0, replaced: 0, same: 0, kept: 0 });
  return {
    categories: empty(),
    plugins: empty(),
    server_groups: empty(),
    api_keys: empty(),
    users: empty(),
    events: empty(),
  };
}
