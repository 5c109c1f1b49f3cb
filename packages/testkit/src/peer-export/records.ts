import type { SeededRandom } from '../seeded-random.js';

const stamps = { created: 1_600_000_000, modified: 1_600_000_100, username: 'admin' };

/** As Cronicle's own set-up makes them, with what its own checks would refuse, and one plugin more. */
export const peerPlugins = [
  {
    id: 'pbackup',
    title: 'Backup',
    command: '/usr/local/bin/backup --quiet',
    params: [{ id: 'path', type: 'text', title: 'Path', size: 40, value: '/srv' }],
    enabled: 1,
    uid: '1001',
    ...stamps,
  },
  {
    id: 'testplug',
    title: 'Test Plugin',
    command: 'bin/test-plugin.js',
    params: [
      { id: 'duration', type: 'text', size: 10, title: 'Test Duration (seconds)', value: 60 },
      { id: 'progress', type: 'checkbox', title: 'Report Progress', value: 1 },
      { id: 'burn', type: 'checkbox', title: 'Burn Memory/CPU', value: 0 },
      {
        id: 'action',
        type: 'select',
        title: 'Simulate Action',
        items: ['Success', 'Failure', 'Crash'],
        value: 'Success',
      },
      { id: 'secret', type: 'hidden', value: 'Will not be shown' },
    ],
    enabled: 1,
    ...stamps,
  },
  {
    id: 'shellplug',
    title: 'Shell Script',
    command: 'bin/shell-plugin.js',
    params: [
      { id: 'script', type: 'textarea', rows: 10, title: 'Script Source', value: '#!/bin/sh\n' },
      { id: 'annotate', type: 'checkbox', title: 'Add Date/Time Stamps to Log', value: 0 },
      { id: 'json', type: 'checkbox', title: 'Interpret JSON in Output', value: 0 },
    ],
    enabled: 1,
    ...stamps,
  },
  {
    id: 'urlplug',
    title: 'HTTP Request',
    command: 'bin/url-plugin.js',
    params: [
      { id: 'method', type: 'select', title: 'Method', items: ['GET', 'HEAD', 'POST'], value: 'GET' },
      { id: 'url', type: 'textarea', rows: 3, title: 'URL', value: 'http://' },
      { id: 'success_match', type: 'text', title: 'Success Match', value: '' },
    ],
    enabled: 1,
    ...stamps,
  },
];

export const peerCategories = [
  { id: 'creports', title: 'Reports', color: 'blue', max_children: 3, enabled: true, ...stamps },
  { id: 'general', title: 'General', color: '', max_children: 0, enabled: 1, ...stamps },
];

export const peerGroups = [
  { id: 'maingrp', title: 'Primary Group', regexp: '^(old\\.example\\.com)$', master: 1 },
  { id: 'allgrp', title: 'All Servers', regexp: '.+', master: 0 },
];

/** Keys as Cronicle stores them: in clear. */
export function generateKeys(random: SeededRandom, count: number) {
  return Array.from({ length: count }, (_, index) => {
    const key = random.hex(16);
    const record = {
      id: `k${(46_656 + index).toString(36)}`,
      key,
      title: `Client ${index}`,
      description: '',
      active: index === 3 ? 0 : 1,
      privileges: { create_events: 1, run_events: index % 2, admin: index === 0 ? 1 : 0 },
      ...stamps,
    };
    return { key, record };
  });
}

const algorithms = ['random', 'round_robin', 'least_cpu', 'prefer_first'];
const zones = ['Europe/Berlin', 'America/New_York', 'UTC', 'Asia/Tokyo'];

/** An event with flags as booleans and numbers, as pages and API clients of Cronicle make them. */
export function generateEvent(random: SeededRandom, index: number, keys: ReturnType<typeof generateKeys>) {
  const shell = random.integer(3) > 0;
  const byKey = random.integer(4) === 0 ? keys[random.integer(keys.length)] : undefined;
  return {
    id: `e${(46_656 * 36 + index).toString(36)}`,
    title: `Event ${index} – täglich`,
    enabled: random.integer(8) > 0 ? 1 : false,
    category: random.integer(4) === 0 ? 'creports' : 'general',
    plugin: shell ? 'shellplug' : 'pbackup',
    target: random.integer(3) === 0 ? 'maingrp' : 'allgrp',
    // Far from the present, so that nothing starts while somebody counts.
    timing:
      random.integer(20) === 0
        ? false
        : { years: [2099], hours: [random.integer(24)], minutes: [random.integer(60)] },
    timezone: zones[random.integer(zones.length)] ?? 'UTC',
    params: shell
      ? { script: `#!/bin/sh\necho ${index}\n`, annotate: random.integer(2), json: 0 }
      : { path: `/srv/${index}` },
    max_children: 1,
    timeout: 3600,
    catch_up: random.integer(5) === 0 ? 1 : 0,
    queue: 0,
    queue_max: 1000,
    retries: random.integer(3),
    retry_delay: 0,
    algo: algorithms[random.integer(algorithms.length)] ?? 'random',
    multiplex: 0,
    stagger: 0,
    detached: false,
    chain: '',
    chain_error: '',
    notify_success: '',
    notify_fail: 'ops@example.com',
    web_hook: '',
    cpu_limit: 0,
    cpu_sustain: 0,
    memory_limit: 0,
    memory_sustain: 0,
    log_max_size: 0,
    notes: 'x'.repeat(random.integer(200)),
    created: 1_600_000_000 + index,
    modified: 1_650_000_000 + index,
    ...(byKey === undefined ? { username: 'admin' } : { api_key: byKey.key }),
  };
}
