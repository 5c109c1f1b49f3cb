import { CarillonError, type ErrorCode, type SettingsOf, type SettingTable } from '@carillon/contract';
import type { Caller } from '../access/caller.js';
import type { ClusterState } from '../state/cluster-state.js';
import type { Table } from '../state/table.js';

/** What the rules for categories, plugins, groups and keys need to know. */
export interface CatalogContext {
  state: ClusterState;
  caller: Caller;
  /** Wall clock, whole Unix seconds. */
  nowSec: number;
  /** A fresh id of the right kind for each call. */
  newId: () => string;
}

const flags: ReadonlySet<string> = new Set(['enabled', 'master', 'active']);

/**
 * A deep copy of those fields that the settings name, flags as 0 or 1; everything else is left out. The fields have been
 * checked against a call whose parameters include the settings.
 */
export function pickSettings<T extends SettingTable>(
  settings: T,
  fields: Readonly<Record<string, unknown>>,
): FlagsStored<SettingsOf<T>> {
  const picked: Record<string, unknown> = {};
  for (const name of Object.keys(settings)) {
    if (!Object.hasOwn(fields, name) || fields[name] === undefined) continue;
    picked[name] = flags.has(name) ? Number(Boolean(fields[name])) : structuredClone(fields[name]);
  }
  // The one place where the check is believed.
  return picked as FlagsStored<SettingsOf<T>>;
}

/** The same fields, with flags as they are stored. */
export type FlagsStored<T> = {
  [K in keyof T]: K extends 'enabled' | 'master' | 'active' ? Extract<0 | 1 | T[K], 0 | 1 | undefined> : T[K];
};

/**
 * The id of a new record: the one that was asked for, in lower case and without what ids may not hold, else a fresh one
 * (behaviour reference 2.3). Throws CarillonError when it is taken (13 #10).
 */
export function chooseId(
  fields: Readonly<Record<string, unknown>>,
  context: Pick<CatalogContext, 'newId'>,
  kind: { table: Pick<Table<{ id: string }>, 'entry'>; noun: string; code: ErrorCode },
): string {
  const wished = Object.hasOwn(fields, 'id') ? fields['id'] : '';
  const id = typeof wished === 'string' ? wished.toLowerCase().replaceAll(/\W/g, '') : '';
  if (id === '') return context.newId();
  if (kind.table.entry(id) !== undefined) {
    throw new CarillonError(kind.code, `Failed to create ${kind.noun}: ID already exists: ${id}`);
  }
  return id;
}

/** Who made a record, as it is noted in it. */
export const creatorOf = (caller: Caller): { username: string } | { api_key: string } =>
  caller.kind === 'user' ? { username: caller.id } : { api_key: caller.id };

/** The refusal for a record that is not there, in the words of the peer's storage. */
export const notFound = (code: ErrorCode, failure: string): CarillonError =>
  new CarillonError(code, `${failure}: Error: Item not found`);
