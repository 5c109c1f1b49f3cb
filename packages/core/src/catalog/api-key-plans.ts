import {
  apiCalls,
  type ApiKeyRecord,
  apiKeySettings,
  CarillonError,
  checkParameters,
} from '@carillon/contract';
import type { ClusterState } from '../state/cluster-state.js';
import { type CatalogContext, notFound, pickSettings } from './record-fields.js';
import { storedPrivileges } from '../access/stored-privileges.js';

/**
 * The record of a new API key (behaviour reference 2.3), active unless the fields say otherwise; of the key only
 * `keyHash` is kept, the SHA-256 of its text. Throws CarillonError `api` for malformed fields and `api_key` for a key
 * that is in use.
 */
export function planApiKeyCreation(
  fields: Readonly<Record<string, unknown>>,
  keyHash: string,
  context: Pick<CatalogContext, 'state' | 'nowSec' | 'newId'>,
): ApiKeyRecord {
  checkParameters(apiCalls.create_api_key, fields);
  const { title = '', privileges = {}, ...settings } = pickSettings(apiKeySettings, fields);
  checkUnused(keyHash, undefined, context.state, 'Failed to create API Key');
  return {
    active: 1,
    ...settings,
    id: context.newId(),
    title,
    key_hash: keyHash,
    privileges: storedPrivileges(privileges),
    created: context.nowSec,
    modified: context.nowSec,
  };
}

/**
 * The record with the given settings replaced, `privileges` as a whole, and with another key when `keyHash` is given.
 * Throws CarillonError like `planApiKeyCreation`, and `api_key` when there is no such record or no active key of an
 * administrator would be left.
 */
export function planApiKeyUpdate(
  fields: Readonly<Record<string, unknown>>,
  keyHash: string | undefined,
  context: Pick<CatalogContext, 'state' | 'nowSec'>,
): ApiKeyRecord {
  checkParameters(apiCalls.update_api_key, fields);
  const { state, nowSec } = context;
  const current = state.api_keys.get(String(fields['id']));
  if (current === undefined) throw notFound('api_key', 'Failed to update API Key');
  if (keyHash !== undefined) checkUnused(keyHash, current.id, state, 'Failed to update API Key');
  const { privileges, ...settings } = pickSettings(apiKeySettings, fields);
  const record: ApiKeyRecord = {
    ...current,
    ...settings,
    ...(privileges === undefined ? {} : { privileges: storedPrivileges(privileges) }),
    key_hash: keyHash ?? current.key_hash,
    modified: nowSec,
  };
  if (isAdministrator(current) && !isAdministrator(record)) {
    checkNotLast(current, state, 'Failed to update API Key');
  }
  return record;
}

/**
 * The record, when it may be deleted. Throws CarillonError `api_key` when there is none, and for the last active key of
 * an administrator: nobody could make another one.
 */
export function planApiKeyDeletion(id: string, state: ClusterState): ApiKeyRecord {
  const record = state.api_keys.get(id);
  if (record === undefined) throw notFound('api_key', 'Failed to delete API Key');
  if (isAdministrator(record)) checkNotLast(record, state, 'Failed to delete API Key');
  return record;
}

/** The record without what only authentication may see. */
export function publicApiKey(record: ApiKeyRecord): Omit<ApiKeyRecord, 'key_hash'> {
  const { key_hash: _hash, ...shown } = record;
  return shown;
}

const isAdministrator = ({ active, privileges }: ApiKeyRecord): boolean =>
  active === 1 && Object.hasOwn(privileges, 'admin') && Boolean(privileges['admin']);

function checkNotLast(record: ApiKeyRecord, state: ClusterState, failure: string): void {
  for (const other of state.api_keys.newestFirst()) {
    if (other.id !== record.id && isAdministrator(other)) return;
  }
  throw new CarillonError('api_key', `${failure}: It is the last active key of an administrator`);
}

function checkUnused(hash: string, own: string | undefined, state: ClusterState, failure: string): void {
  const owner = state.keyByHash(hash)?.id;
  if (owner !== undefined && owner !== own) {
    throw new CarillonError('api_key', `${failure}: Another API Key has the same key`);
  }
}
