import type { TableName } from '../state/change.js';

/** The tables that exports hold, in the order of the file: what others refer to comes first. */
export const transferTables = [
  'categories',
  'plugins',
  'server_groups',
  'api_keys',
  'users',
  'events',
] as const satisfies readonly TableName[];
export type TransferTable = (typeof transferTables)[number];
