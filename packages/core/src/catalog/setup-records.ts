import type { ApiKeyRecord, PluginParam, PluginRecord } from '@carillon/contract';
import type { Change } from '../state/change.js';

export interface SetupContext {
  /** Host name of the first primary. */
  hostname: string;
  /** Whole Unix seconds. */
  nowSec: number;
}

/**
 * The records every new cluster starts with (behaviour reference 3.9), without users and keys. Places are fixed:
 * in a list that shows the newest first they come in the order of the reference.
 */
export function setupRecords({ hostname, nowSec }: SetupContext): Change[] {
  const stamps = { enabled: 1, created: nowSec, modified: nowSec, username: 'admin' } as const;
  const plugins = [testPlugin, shellPlugin, urlPlugin];
  const escaped = hostname.toLowerCase().replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return [
    {
      type: 'put',
      table: 'categories',
      seq: 1,
      record: { id: 'general', title: 'General', max_children: 0, ...stamps },
    },
    ...plugins.map(
      (plugin, index): Change => ({
        type: 'put',
        table: 'plugins',
        seq: plugins.length - index,
        record: { ...structuredClone(plugin), ...stamps },
      }),
    ),
    {
      type: 'put',
      table: 'server_groups',
      seq: 2,
      record: { id: 'maingrp', title: 'Primary Group', regexp: `^(${escaped})$`, master: 1 },
    },
    {
      type: 'put',
      table: 'server_groups',
      seq: 1,
      record: { id: 'allgrp', title: 'All Servers', regexp: '.+', master: 0 },
    },
  ];
}

export interface KeyCreation {
  id: string;
  /** Place in the table of keys. */
  seq: number;
  title: string;
  /** SHA-256 of the key string, lower-case hex. */
  keyHash: string;
  privileges: Readonly<Record<string, unknown>>;
  nowSec: number;
}

/** The change that adds an active API key, of which only the hash is stored. */
export function planKeyCreation(creation: KeyCreation): Change {
  const record: ApiKeyRecord = {
    id: creation.id,
    title: creation.title,
    key_hash: creation.keyHash,
    active: 1,
    privileges: { ...creation.privileges },
    created: creation.nowSec,
    modified: creation.nowSec,
  };
  return { type: 'put', table: 'api_keys', seq: creation.seq, record };
}

type PluginDefinition = Pick<PluginRecord, 'id' | 'title' | 'command' | 'params'>;

const line = (id: string, title: string, size: number, value: string): PluginParam => ({
  id,
  title,
  type: 'text',
  size,
  value,
});
const box = (id: string, title: string, rows: number, value: string): PluginParam => ({
  id,
  title,
  type: 'textarea',
  rows,
  value,
});
const choice = (id: string, title: string, items: string[], value: string): PluginParam => ({
  id,
  title,
  type: 'select',
  items,
  value,
});
const check = (id: string, title: string, value: 0 | 1): PluginParam => ({
  id,
  title,
  type: 'checkbox',
  value,
});

const testPlugin: PluginDefinition = {
  id: 'testplug',
  title: 'Test Plugin',
  command: 'builtin:test',
  params: [
    line('duration', 'Test Duration (seconds)', 10, '60'),
    check('progress', 'Report Progress', 1),
    check('burn', 'Burn Memory/CPU', 0),
    choice('action', 'Simulate Action', ['Success', 'Failure', 'Crash'], 'Success'),
    { id: 'secret', title: 'Secret Value', type: 'hidden', value: 'Will not be shown in the event form' },
  ],
};

const shellPlugin: PluginDefinition = {
  id: 'shellplug',
  title: 'Shell Script',
  command: 'builtin:shell',
  params: [
    box('script', 'Script Source', 10, '#!/bin/sh\n\n# Enter your shell script code here'),
    check('annotate', 'Add Date/Time Stamps to Log', 0),
    check('json', 'Interpret JSON in Output', 0),
  ],
};

const urlPlugin: PluginDefinition = {
  id: 'urlplug',
  title: 'HTTP Request',
  command: 'builtin:url',
  params: [
    choice('method', 'Method', ['GET', 'HEAD', 'POST'], 'GET'),
    box('url', 'Request URL', 3, 'http://'),
    box('headers', 'Request Headers', 4, 'User-Agent: Carillon/1.0'),
    box('data', 'POST Data', 4, ''),
    line('timeout', 'Timeout (seconds)', 5, '30'),
    line('idle_timeout', 'Idle Timeout (seconds)', 5, '30'),
    line('connect_timeout', 'Connect Timeout (seconds)', 5, '10'),
    check('follow', 'Follow Redirects', 0),
    check('ssl_cert_bypass', 'SSL Cert Bypass', 0),
    line('success_match', 'Success Match', 20, ''),
    line('error_match', 'Error Match', 20, ''),
  ],
};
