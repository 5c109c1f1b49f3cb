import {
  apiCalls,
  type ApiCallName,
  CarillonError,
  checkParameters,
  type ErrorCode,
} from '@carillon/contract';
import { checkPluginParams } from '../catalog/plugin-params.js';
import { checkPluginCommand } from '../catalog/plugin-plans.js';
import { checkGroupExpression } from '../catalog/server-group-plans.js';
import { userIdOf } from '../accounts/user-name.js';
import { isTimezone } from '../schedule/wall-clock.js';
import type { TransferTable } from './transfer-tables.js';

type Fields = Readonly<Record<string, unknown>>;

const flagsOf: Readonly<Record<TransferTable, readonly string[]>> = {
  categories: ['enabled'],
  plugins: ['enabled'],
  server_groups: ['master'],
  api_keys: ['active'],
  users: ['active'],
  events: ['enabled'],
};
/** The call that would create such a record says what its fields must be like. */
const creationOf = {
  categories: 'create_category',
  plugins: 'create_plugin',
  server_groups: 'create_server_group',
  api_keys: 'create_api_key',
  events: 'create_event',
} as const satisfies Record<Exclude<TransferTable, 'users'>, ApiCallName>;

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A record as it comes from an export: what the call that creates such records demands holds for it, and it has what
 * is stored beside that. It is answered as it is. Throws CarillonError `api` naming table, record and field.
 */
export function checkStoredRecord(table: TransferTable, value: unknown): Fields {
  if (!isObject(value)) throw refuse(`${table}: record (must be object)`);
  const id = value['id'];
  if (typeof id !== 'string' || !/^\w{1,64}$/.test(id) || id === '__proto__') {
    throw refuse(`${table}: Malformed parameter: id`);
  }
  const where = `${table} ${id}`;
  try {
    // Users hold hashes where the call wants a password.
    if (table !== 'users') checkParameters(apiCalls[creationOf[table]], value);
    for (const flag of flagsOf[table]) checkFlag(value, flag);
    if (table !== 'server_groups') for (const stamp of ['created', 'modified']) checkCount(value, stamp);
    checkers[table](value);
  } catch (error) {
    if (error instanceof CarillonError) throw refuse(`${where}: ${error.message}`);
    throw error;
  }
  return value;
}

const checkers: Readonly<Record<TransferTable, (record: Fields) => void>> = {
  categories: (record) => checkCount(record, 'max_children'),
  plugins: (record) => {
    checkPluginCommand(String(record['command']));
    checkPluginParams(record['params']);
  },
  server_groups: (record) => checkGroupExpression(String(record['regexp']), 'Malformed'),
  api_keys: (record) => {
    if (!/^[0-9a-f]{64}$/.test(String(record['key_hash']))) throw refuse('Malformed parameter: key_hash');
    if (record['key'] !== undefined) throw refuse('The key itself must not be there: key');
    if (!isObject(record['privileges'])) throw refuse('Missing parameter: privileges');
  },
  users: (record) => {
    for (const name of ['username', 'full_name', 'email', 'password', 'salt']) {
      const text = record[name];
      if (typeof text !== 'string' || text.length > 1024) throw refuse(`Malformed parameter: ${name}`);
    }
    const username = String(record['username']);
    if (!/^[\w\-.]{1,128}$/.test(username) || userIdOf(username) !== record['id']) {
      throw refuse('Malformed parameter: username');
    }
    if (!isObject(record['privileges'])) throw refuse('Missing parameter: privileges');
  },
  events: (record) => {
    checkCount(record, 'max_children');
    checkCount(record, 'timeout');
    if (!isObject(record['params'])) throw refuse('Missing parameter: params');
    const timezone = record['timezone'];
    // Empty: that of the cluster.
    if (timezone !== '' && (typeof timezone !== 'string' || !isTimezone(timezone))) {
      throw refuse(`Malformed or unknown timezone: ${String(timezone)}`);
    }
  },
};

function checkFlag(record: Fields, name: string): void {
  if (record[name] !== 0 && record[name] !== 1) throw refuse(`Malformed parameter: ${name} (must be 0 or 1)`);
}

function checkCount(record: Fields, name: string): void {
  const value = record[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw refuse(`Malformed parameter: ${name}`);
  }
}

const refuse = (text: string, code: ErrorCode = 'api') => new CarillonError(code, text);
