import { setupRecords } from '../catalog/setup-records.js';
import type { ClusterState } from '../state/cluster-state.js';
import type { ImportData } from './import-data.js';
import { type TransferTable, transferTables } from './transfer-tables.js';

type AnyRecord = Readonly<Record<string, unknown>> & { readonly id: string };

/** A record of an import, and what becomes of it. */
export interface Collision {
  table: TransferTable;
  id: string;
  record: AnyRecord;
  fate: 'added' | 'replaced' | 'same' | 'kept';
}

export interface Collisions {
  /** In the order of the import. */
  of(table: TransferTable): readonly Collision[];
  /** Why the import is refused. */
  refused: string[];
  /** Records of the cluster whose place is taken by one with another id. */
  removed: { table: TransferTable; id: string }[];
}

/**
 * Compares the records of an import with those of the cluster. The ones that every new cluster begins with are in
 * nobody's way as long as they are as they were made, and an API key that is in both is one key, whatever the ids of its records.
 */
export function findCollisions(
  data: ImportData,
  state: ClusterState,
  existing: 'refuse' | 'keep' | 'replace',
): Collisions {
  const found = new Map<TransferTable, Collision[]>(transferTables.map((table) => [table, []]));
  const collisions: Collisions = {
    of: (table) => found.get(table) ?? [],
    refused: [],
    removed: [],
  };
  for (const table of transferTables) {
    const records: Iterable<AnyRecord> = data.tables[table].values() as Iterable<AnyRecord>;
    for (const record of records) {
      const fate = fateOf(table, record, state, existing, collisions);
      found.get(table)?.push({ table, id: record.id, record, fate });
    }
  }
  collisions.refused.push(...repeatedKeys(data));
  return collisions;
}

function fateOf(
  table: TransferTable,
  record: AnyRecord,
  state: ClusterState,
  existing: 'refuse' | 'keep' | 'replace',
  collisions: Collisions,
): Collision['fate'] {
  const present = state[table].get(record.id) as AnyRecord | undefined;
  const sameKey = table === 'api_keys' ? state.keyByHash(String(record['key_hash'])) : undefined;
  if (sameKey !== undefined && sameKey.id !== record.id) {
    const alike =
      Boolean(record['active']) === Boolean(sameKey.active) &&
      isEqual(grantedBy(record['privileges']), grantedBy(sameKey.privileges));
    if (!alike && existing === 'refuse') {
      collisions.refused.push(
        `api_keys ${record.id}: the cluster has the same key as ${sameKey.id}, with other rights`,
      );
    }
    if (existing === 'keep') return 'kept';
    collisions.removed.push({ table, id: sameKey.id });
    return present === undefined ? 'added' : 'replaced';
  }
  if (present === undefined) return 'added';
  if (isEqual(present, record)) return 'same';
  if (isUntouched(table, present)) return 'replaced';
  if (existing === 'refuse') {
    const name = String(record['title'] ?? record['username']);
    collisions.refused.push(`${table} ${record.id} (${name}): the cluster has another one`);
  }
  return existing === 'keep' ? 'kept' : 'replaced';
}

/** Names of the privileges that are given. */
function grantedBy(privileges: unknown): string[] {
  return Object.entries(privileges ?? {})
    .filter(([, given]) => Boolean(given))
    .map(([name]) => name)
    .sort();
}

/** An import must not hold a key twice: only one of the records would ever be found. */
function repeatedKeys(data: ImportData): string[] {
  const seen = new Map<string, string>();
  const repeated: string[] = [];
  for (const { id, key_hash } of data.tables.api_keys.values()) {
    const other = seen.get(key_hash);
    if (other !== undefined) repeated.push(`api_keys ${id}: it is the same key as ${other}`);
    seen.set(key_hash, id);
  }
  return repeated;
}

/**
 * Records of the first start that the import does not know, as it is complete for their tables, and that nobody uses: the
 * cluster is to be like the one that was exported.
 */
export function untouchedSetup(
  data: ImportData,
  state: ClusterState,
): { table: TransferTable; id: string }[] {
  const used = new Set<string>();
  for (const event of [...state.events.newestFirst(), ...data.tables.events.values()]) {
    for (const id of [event.category, event.plugin, event.target]) used.add(id);
  }
  for (const job of state.jobs.values()) {
    for (const id of [job.fields.category, job.fields.plugin, job.fields.target]) used.add(id);
  }
  const spare: { table: TransferTable; id: string }[] = [];
  for (const table of ['categories', 'plugins', 'server_groups'] as const) {
    if (!data.state.tables.includes(table)) continue;
    for (const record of state[table].newestFirst()) {
      if (data.tables[table].has(record.id) || used.has(record.id)) continue;
      if (isUntouched(table, record as unknown as AnyRecord)) spare.push({ table, id: record.id });
    }
  }
  return spare;
}

/** As it was made by the first start, times and the host name of that node aside. */
function isUntouched(table: TransferTable, record: AnyRecord): boolean {
  const pattern = /^\^\((.*)\)\$$/.exec(String(record['regexp']))?.[1] ?? '';
  for (const change of setupRecords({ hostname: '', nowSec: 0 })) {
    if (change.type !== 'put' || change.table !== table || change.record.id !== record.id) continue;
    const made: AnyRecord = { ...change.record };
    const times = { created: record['created'], modified: record['modified'] };
    const expected = {
      ...made,
      ...(made['created'] === undefined || record['created'] !== record['modified'] ? {} : times),
      ...(record.id === 'maingrp' ? { regexp: `^(${pattern})$` } : {}),
    };
    return isEqual(expected, record);
  }
  return false;
}

/** Equal as JSON, whatever the order of keys. */
export function isEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [left, right] = [one as Record<string, unknown>, other as Record<string, unknown>];
  const keys = Object.keys(left).filter((key) => left[key] !== undefined);
  if (keys.length !== Object.keys(right).filter((key) => right[key] !== undefined).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && isEqual(left[key], right[key]));
}
