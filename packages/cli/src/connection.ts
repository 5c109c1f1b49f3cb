import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CommandIo } from './command-io.js';
import { reasonOf, UsageError } from './failures.js';

/** Where the cluster is and who asks. */
export interface Connection {
  url: string;
  apiKey: string | undefined;
  /** Where the key was found, for people. */
  keySource?: string;
  /** Authorities of https nodes in PEM. */
  ca?: string;
}

const defaultUrl = 'http://127.0.0.1:3012';
const loopback = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Options first, then `CARILLON_URL` and `CARILLON_API_KEY`, then the defaults: this machine, and the key that an
 * all-in-one node has left in its data directory. That key is only ever sent to this machine.
 * Likewise the file with the authorities of https nodes: `CARILLON_CA`, else what the system trusts.
 * Throws UsageError when the URL is none, or that file cannot be read.
 */
export function findConnection(
  options: { url: string | undefined; key: string | undefined; ca?: string | undefined },
  io: CommandIo,
): Connection {
  const url = options.url ?? (io.env['CARILLON_URL'] || defaultUrl);
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new UsageError(`Not an http or https URL: ${url} (one is like ${defaultUrl})`);
  }
  const apiKey = options.key ?? (io.env['CARILLON_API_KEY'] || undefined);
  const caFile = options.ca ?? (io.env['CARILLON_CA'] || undefined);
  const trust = caFile === undefined ? {} : { ca: readAuthorities(caFile, io) };
  if (apiKey !== undefined) {
    return { url, apiKey, keySource: options.key === undefined ? 'CARILLON_API_KEY' : '--key', ...trust };
  }
  if (!loopback.has(new URL(url).hostname)) return { url, apiKey, ...trust };
  const keySource = keyFile(io);
  return { url, apiKey: readKey(keySource), keySource, ...trust };
}

const keyFile = (io: CommandIo): string =>
  join(resolve(io.cwd ?? '.', io.env['CARILLON_DATA_DIR'] || 'data'), 'admin-api-key');

function readAuthorities(file: string, io: CommandIo): string {
  try {
    return readFileSync(resolve(io.cwd ?? '.', file), 'utf8');
  } catch (error) {
    throw new UsageError(`The file of --ca or CARILLON_CA cannot be read: ${reasonOf(error)}`);
  }
}

function readKey(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    // Absent or not ours to read: the server will ask for a key.
    return undefined;
  }
}
