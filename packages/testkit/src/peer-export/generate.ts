import { SeededRandom } from '../seeded-random.js';
import { generateEvent, generateKeys, peerCategories, peerGroups, peerPlugins } from './records.js';

export interface PeerExportSize {
  events: number;
  /** Rows of the history of all events; each is in the history of its event as well. */
  rows: number;
  /** Completed jobs whose records are in the file; at most as many as rows. */
  jobs?: number;
  /** Unix seconds of the newest row. */
  nowSec: number;
}

/** The text of an export of Cronicle and what is in it. */
export interface GeneratedPeer {
  text: string;
  eventIds: string[];
  /** Rows of the history of each event. */
  rowsOf: Map<string, number>;
  keys: { id: string; key: string }[];
}

const pageSize = 50;

/**
 * An export of Cronicle of any size (behaviour reference 11.3) with the parts somebody may add to it: state, history,
 * completed jobs. The same seed makes the same text.
 */
export function generatePeerExport(seed: number, size: PeerExportSize): GeneratedPeer {
  const random = new SeededRandom(seed);
  const lines = ['# Cronicle Data Export v1.0', '# Hostname: old.example.com', '# Format: KEY - JSON', ''];
  const put = (key: string, value: unknown) => lines.push(`${key} - ${JSON.stringify(value)}`);
  const putList = (key: string, items: readonly unknown[], firstPage = 0) => {
    const pages = Math.max(1, Math.ceil(items.length / pageSize));
    const header = { page_size: pageSize, first_page: firstPage, last_page: firstPage + pages - 1 };
    put(key, { ...header, length: items.length, type: 'list' });
    for (let page = 0; page < pages; page += 1) {
      const part = items.slice(page * pageSize, (page + 1) * pageSize);
      put(`${key}/${firstPage + page}`, { type: 'list_page', items: part });
    }
  };
  const keys = generateKeys(random, 12);
  const events = Array.from({ length: size.events }, (_, index) => generateEvent(random, index, keys));
  put('users/admin', adminUser);
  putList('global/users', [{ username: 'admin' }]);
  putList('global/plugins', peerPlugins);
  putList('global/categories', peerCategories);
  putList('global/server_groups', peerGroups);
  // New items go to the front, so that most pages have negative numbers.
  putList('global/schedule', events, -Math.floor(events.length / pageSize));
  putList('global/servers', [{ hostname: 'old.example.com', ip: '10.0.0.5' }]);
  putList(
    'global/api_keys',
    keys.map((key) => key.record),
  );
  put('global/state', stateOf(events, size.nowSec));
  const history = generateHistory(random, events, size);
  putList('logs/completed', history, -Math.floor(history.length / pageSize));
  const rowsOf = new Map<string, number>();
  for (const [event, rows] of groupByEvent(history)) {
    putList(`logs/events/${event}`, rows);
    rowsOf.set(event, rows.length);
  }
  for (const row of history.slice(0, size.jobs ?? 0)) put(`jobs/${row.id}`, jobOf(row));
  return {
    text: `${lines.join('\n')}\n`,
    eventIds: events.map(({ id }) => id),
    rowsOf,
    keys: keys.map(({ record, key }) => ({ id: record.id, key })),
  };
}

const adminUser = {
  username: 'admin',
  full_name: 'Administrator',
  email: 'admin@example.com',
  // "admin" with this salt, in bcrypt.
  password: '$2b$10$VAF.FNvz1JqhCAB5rCh9GOa965eYWH3fcgWIuQFAmsZnnVS/.ye1y',
  salt: 'salty',
  active: 1,
  privileges: { admin: 1 },
  created: 1_600_000_000,
  modified: 1_600_000_000,
};

type PeerEvent = ReturnType<typeof generateEvent>;

function stateOf(events: readonly PeerEvent[], nowSec: number): Record<string, unknown> {
  const minute = nowSec - (nowSec % 60);
  const behind = events
    .filter((event) => event.catch_up)
    .map(({ id }): [string, number] => [id, minute - 600]);
  const robins = events
    .filter((event) => event.algo === 'round_robin')
    .map(({ id }): [string, number] => [id, 1]);
  return {
    enabled: true,
    cursors: Object.fromEntries(behind),
    robins: Object.fromEntries(robins),
    stats: { jobs_completed: 7, jobs_failed: 1 },
    flagged_jobs: {},
    jobCodes: {},
  };
}

function generateHistory(
  random: SeededRandom,
  events: readonly PeerEvent[],
  { rows, nowSec }: PeerExportSize,
) {
  return Array.from({ length: events.length === 0 ? 0 : rows }, (_, index) => {
    const event = events[random.integer(events.length)];
    const failed = random.integer(10) === 0;
    const epoch = nowSec - index * 7;
    const elapsed = random.integer(60_000) / 1000;
    return {
      id: `j${(1_000_000 + index).toString(36)}x${random.integer(1296).toString(36)}`,
      code: failed ? 1 : 0,
      ...(failed ? { description: 'Exited with code 1' } : {}),
      event: event?.id ?? '',
      event_title: event?.title ?? '',
      category: event?.category ?? '',
      category_title: 'General',
      plugin: event?.plugin ?? '',
      plugin_title: 'Shell Script',
      hostname: 'old.example.com',
      time_start: epoch - elapsed,
      elapsed,
      perf: '',
      cpu: { min: 1, max: 9, total: 50, count: 10, current: 5 },
      mem: { min: 1_000, max: 9_000, total: 50_000, count: 10, current: 5_000 },
      log_file_size: random.integer(100_000),
      action: 'job_complete',
      epoch,
    };
  });
}

type PeerRow = ReturnType<typeof generateHistory>[number];

function groupByEvent(rows: readonly PeerRow[]): Map<string, PeerRow[]> {
  const groups = new Map<string, PeerRow[]>();
  for (const row of rows) {
    const group = groups.get(row.event);
    if (group === undefined) groups.set(row.event, [row]);
    else group.push(row);
  }
  return groups;
}

function jobOf(row: PeerRow): Record<string, unknown> {
  const { action: _action, epoch, perf: _perf, ...fields } = row;
  return {
    ...fields,
    type: 'cronicle_job',
    target: 'allgrp',
    nice_target: 'All Servers',
    params: { script: '#!/bin/sh\nexit 0\n' },
    command: 'bin/shell-plugin.js',
    now: epoch - (epoch % 60),
    time_end: epoch,
    complete: 1,
    log_file: `/opt/cronicle/logs/jobs/${row.id}.log`,
  };
}
