import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FakeCluster } from './fake-cluster.js';

let cluster: FakeCluster;
let directory: string;
beforeEach(async () => {
  cluster = await new FakeCluster().start();
  directory = mkdtempSync(join(tmpdir(), 'carillon-cli-'));
  cluster.answers.set('get_plugins', { rows: plugins, list: { length: 2 } });
  cluster.answers.set('get_categories', { rows: categories, list: { length: 2 } });
  cluster.answers.set('get_server_groups', { rows: groups, list: { length: 1 } });
  cluster.answers.set('get_api_keys', { rows: keys, list: { length: 2 } });
  for (const kind of ['plugin', 'category', 'server_group', 'api_key']) {
    for (const verb of ['update', 'delete']) cluster.answers.set(`${verb}_${kind}`, {});
    cluster.answers.set(`create_${kind}`, { id: 'new1' });
  }
});
afterEach(async () => {
  await cluster.stop();
  rmSync(directory, { recursive: true });
});

const stamps = { created: 1_445_232_960, modified: 1_449_941_100 };
const plugins = [
  {
    id: 'disk',
    title: 'Disk usage',
    enabled: 0,
    command: '/opt/disk.py',
    params: [{ id: 'a' }, { id: 'b' }],
  },
  { id: 'shellplug', title: 'Shell Script', enabled: 1, command: 'builtin:shell', params: [] },
];
const categories = [
  { id: 'backups', title: 'Backups', enabled: 1, max_children: 2, description: 'Nightly' },
  { id: 'general', title: 'General', enabled: 1, max_children: 0 },
];
const groups = [{ id: 'web', title: 'Web Servers', regexp: '^web', master: 0 }];
const keys = [
  {
    id: 'k2',
    title: 'CI',
    active: 0,
    privileges: { run_events: 1, edit_events: 0, cat_limit: 1 },
    ...stamps,
  },
  { id: 'k1', title: 'Administrator', active: 1, privileges: { admin: 1 }, ...stamps },
];

const file = (content: string): string => {
  const path = join(directory, 'record.json');
  writeFileSync(path, content);
  return path;
};

describe('lists', () => {
  test.each([
    [
      'plugin',
      [
        'ID         TITLE         STATE  COMMAND        PARAMETERS',
        'disk       Disk usage    off    /opt/disk.py   a, b',
        'shellplug  Shell Script  on     builtin:shell',
      ],
    ],
    [
      'category',
      [
        'ID       TITLE    STATE  MOST JOBS  DESCRIPTION',
        'backups  Backups  on             2  Nightly',
        'general  General  on           any',
      ],
    ],
    ['group', ['ID   TITLE        HOST NAMES', 'web  Web Servers  ^web']],
    [
      'key',
      [
        'ID  TITLE          STATE     CREATED              MAY',
        'k2  CI             disabled  2015-10-19 05:36:00  run_events, cat_limit',
        'k1  Administrator  active    2015-10-19 05:36:00  admin',
      ],
    ],
  ])('of each %s', async (command, lines) => {
    const { exitCode, out } = await cluster.run([command, 'list']);
    expect(out.split('\n')).toEqual([...lines, '']);
    expect(exitCode).toBe(0);
    const json = JSON.parse((await cluster.run([command, 'list', '--json'])).out);
    expect(json).toHaveLength(lines.length - 1);
  });
});

describe('one record', () => {
  test.each([
    ['its id', 'disk'],
    ['its title', 'Disk usage'],
    ['how its title starts', 'disk u'],
  ])('is shown by %s', async (_what, text) => {
    const { out } = await cluster.run(['plugin', 'show', text]);
    expect(out).toContain('command  /opt/disk.py\n');
    expect(out).toContain('params   [{"id":"a"},{"id":"b"}]\n');
    expect(JSON.parse((await cluster.run(['plugin', 'show', text, '--json'])).out).id).toBe('disk');
  });

  test('that is not there fails with those that are', async () => {
    const { exitCode, err } = await cluster.run(['category', 'show', 'nope']);
    expect(exitCode).toBe(1);
    expect(err).toBe(
      'error: No category with the id or title "nope". There are:\n  backups  Backups\n  general  General\n',
    );
  });

  test('of many fails with the most similar ones', async () => {
    const many = Array.from({ length: 20 }, (_, n) => ({ id: `c${n}`, title: `Category number ${n}` }));
    cluster.answers.set('get_categories', { rows: [...many, ...categories], list: {} });
    const { err } = await cluster.run(['category', 'show', 'bakcups']);
    expect(err).toContain('There are:\n  backups  Backups\n');
    expect(err).toContain('and 17 more');
  });

  test('of several fails with the candidates', async () => {
    cluster.answers.set('get_categories', { rows: [...categories, { id: 'b2', title: 'Back' }], list: {} });
    const { exitCode, err } = await cluster.run(['category', 'show', 'ba']);
    expect(exitCode).toBe(1);
    expect(err).toContain('"ba" may mean 2 of them');
  });
});

describe('creating and changing', () => {
  test('from a file, with --set on top', async () => {
    const path = file('{"title": "New", "command": "/opt/x.py", "enabled": 1}');
    const { out } = await cluster.run(['plugin', 'create', path, '--set', 'enabled=0', '--set', 'id=mine']);
    expect(out).toBe('Created plugin new1\n');
    expect(cluster.paramsOf('create_plugin')).toEqual([
      { title: 'New', command: '/opt/x.py', enabled: 0, id: 'mine', params: [] },
    ]);
    expect((await cluster.run(['category', 'create', '--set', 'title=T'])).exitCode).toBe(0);
    expect(cluster.paramsOf('create_category')).toEqual([{ title: 'T', max_children: 0 }]);
  });

  test('warnings of the server reach the person', async () => {
    cluster.answers.set('create_plugin', { id: 'new1', warnings: ['Replaces PATH'] });
    const ran = await cluster.run(['plugin', 'create', '--set', 'title=T']);
    expect(ran).toMatchObject({ exitCode: 0, err: 'warning: Replaces PATH\n' });
    const json = await cluster.run(['plugin', 'create', '--set', 'title=T', '--json']);
    expect(JSON.parse(json.out)).toEqual({ id: 'new1', warnings: ['Replaces PATH'] });
  });

  test('the named record is changed, whatever id the file holds', async () => {
    const argv = ['plugin', 'update', 'disk', file('{"id":"other","enabled":0}'), '--abort-jobs'];
    expect((await cluster.run(argv)).out).toBe('Changed plugin disk\n');
    expect(cluster.paramsOf('update_plugin')).toEqual([{ id: 'disk', enabled: 0, abort_jobs: 1 }]);
    await cluster.run(['group', 'update', 'Web Servers', '--set', 'regexp=^www']);
    expect(cluster.paramsOf('update_server_group')).toEqual([{ id: 'web', regexp: '^www' }]);
  });

  test('what files manage is changed with a note', async () => {
    const managed = [{ ...categories[0], managed_by: 'team' }];
    cluster.answers.set('get_categories', { rows: managed, list: {} });
    const note = 'It is managed by the files of "team": their next apply sets it back\n';
    expect((await cluster.run(['category', 'edit', 'backups', '--set', 'enabled=0'])).err).toBe(note);
    expect((await cluster.run(['category', 'edit', 'backups', '--set', 'managed_by='])).err).toBe('');
    expect(cluster.paramsOf('update_category')[1]).toEqual({ id: 'backups', managed_by: '' });
    cluster.events = [{ id: 'e1', title: 'E', params: {}, managed_by: 'team' }];
    expect((await cluster.run(['event', 'edit', 'e1', '--notes', 'x'])).err).toBe(note);
  });

  test.each([
    [['plugin', 'create'], 'Nothing given: name a JSON file or use --set'],
    [['plugin', 'create', 'absent.json'], 'absent.json cannot be read as JSON: ENOENT'],
    [['category', 'update', 'general'], 'Nothing given'],
    [['group', 'update', 'web', '--set', 'x'], '--set must be NAME=VALUE: x'],
    [['group', 'update', 'web', '--abort-jobs'], "unknown option '--abort-jobs'"],
  ])('%j is wrong usage', async (argv, message) => {
    const { exitCode, err } = await cluster.run(argv, { cwd: directory });
    expect(exitCode).toBe(2);
    expect(err).toContain(message);
  });

  test.each(['[]', '"x"', 'null'])('a file with %s holds no record', async (content) => {
    const { exitCode, err } = await cluster.run(['plugin', 'create', file(content)]);
    expect(exitCode).toBe(2);
    expect(err).toContain('holds no JSON object');
  });

  test('what the server refuses is said in its words', async () => {
    const refusal = Object.assign(new Error('Plugin params is not an array.'), { name: 'plugin' });
    cluster.answers.set('create_plugin', refusal);
    const { exitCode, err } = await cluster.run(['plugin', 'create', '--set', 'title=T']);
    expect({ exitCode, err }).toEqual({ exitCode: 1, err: 'error: Plugin params is not an array.\n' });
  });
});

describe('deleting', () => {
  test('several at once, all of them found before', async () => {
    const { out } = await cluster.run(['category', 'delete', 'backups', 'General']);
    expect(out).toBe('Deleted category backups (Backups)\nDeleted category general (General)\n');
    expect(cluster.paramsOf('delete_category')).toEqual([{ id: 'backups' }, { id: 'general' }]);
    expect((await cluster.run(['plugin', 'delete', 'disk', 'nope'])).exitCode).toBe(1);
    expect(cluster.paramsOf('delete_plugin')).toEqual([]);
    expect(JSON.parse((await cluster.run(['group', 'delete', 'web', '--json'])).out)).toEqual({
      ids: ['web'],
    });
  });
});

describe('keys', () => {
  test('a new key is alone on standard output', async () => {
    cluster.answers.set('create_api_key', { id: 'k3', key: 'abc' });
    const argv = [
      'key',
      'create',
      'CI 2',
      '--allow',
      'run_events',
      '--allow',
      'cat_limit',
      '--description',
      'D',
    ];
    const { out, err } = await cluster.run(argv);
    expect(out).toBe('abc\n');
    expect(err).toBe('Created API key k3 (CI 2). It is shown this once:\n');
    await cluster.run(['key', 'create', 'Boss', '--admin', '--value', 'xyz']);
    expect(cluster.paramsOf('create_api_key')).toEqual([
      { title: 'CI 2', privileges: { run_events: 1, cat_limit: 1 }, description: 'D' },
      { title: 'Boss', privileges: { admin: 1 }, key: 'xyz' },
    ]);
    const json = await cluster.run(['key', 'create', 'T', '--json']);
    expect(JSON.parse(json.out)).toEqual({ id: 'k3', key: 'abc' });
  });

  test.each([
    ['run_event', 'did you mean run_events?'],
    ['everything', 'there are admin, create_events, '],
  ])('refuses the privilege %s, which nobody asks for', async (name, hint) => {
    for (const who of [
      ['key', 'create', 'X'],
      ['key', 'edit', 'CI'],
      ['user', 'create', 'ann'],
    ]) {
      const { exitCode, err } = await cluster.run([...who, '--allow', 'cat_x', '--allow', name]);
      expect(exitCode).toBe(2);
      expect(err).toContain(`error: No privilege: ${name} (${hint}`);
    }
    expect(cluster.paramsOf('create_api_key')).toEqual([]);
  });

  test('revoke deletes by title', async () => {
    expect((await cluster.run(['key', 'revoke', 'CI'])).out).toBe('Revoked API key k2 (CI)\n');
    expect(cluster.paramsOf('delete_api_key')).toEqual([{ id: 'k2' }]);
  });
});

describe('activity', () => {
  test('says who did what, and what went wrong', async () => {
    const who = { epoch: 1_445_232_960, api_key: 'k1', api_title: 'Admin' };
    const rows = [
      { ...who, action: 'cat_update', cat: { id: 'general', title: 'General' } },
      { ...who, action: 'apikey_create', api_key: { id: 'k9', title: 'CI' } },
      { ...who, action: 'server_remove', hostname: 'web1' },
      { ...who, action: 'job_delete', id: 'j1', event: 'e1' },
      { ...who, action: 'state_update', enabled: 0 },
      { ...who, action: 'import', source: 'cronicle', tables: {} },
      { action: 'warning', epoch: 1_445_232_960, description: 'Failed to launch', event: 'e1' },
    ];
    cluster.answers.set('get_activity', { rows, list: { length: rows.length } });
    const { out } = await cluster.run(['activity', '-n', '9']);
    expect(out.split('\n')).toEqual([
      'TIME                 ACTION         BY     ABOUT',
      '2015-10-19 05:36:00  cat_update     Admin  General (general)',
      '2015-10-19 05:36:00  apikey_create  Admin  CI (k9)',
      '2015-10-19 05:36:00  server_remove  Admin  web1',
      '2015-10-19 05:36:00  job_delete     Admin  j1',
      '2015-10-19 05:36:00  state_update   Admin  scheduler off',
      '2015-10-19 05:36:00  import         Admin  cronicle',
      '2015-10-19 05:36:00  warning               Failed to launch',
      '',
    ]);
    expect(cluster.paramsOf('get_activity')).toEqual([{ limit: 9 }]);
    expect(JSON.parse((await cluster.run(['activity', '--json'])).out)).toEqual(rows);
  });
});

describe('upcoming', () => {
  const launch = { event: 'e1', event_title: 'Backup', target: 'allgrp', epoch: 1_445_232_960 };

  test('lists launches, and how many more there are', async () => {
    const answer = { rows: [launch], list: { length: 3 }, until: 1_445_319_360, enabled: 1 };
    cluster.answers.set('get_upcoming', answer);
    const { out, err } = await cluster.run(['upcoming', '--hours', '48', '-n', '1']);
    expect(out.split('\n')).toEqual([
      'DUE                  EVENT  TITLE   TARGET',
      '2015-10-19 05:36:00  e1     Backup  allgrp',
      '',
    ]);
    expect(err).toBe('and 2 more until 2015-10-20 05:36:00\n');
    expect(cluster.paramsOf('get_upcoming')).toEqual([{ limit: 1, hours: 48 }]);
    const tooFar = await cluster.run(['upcoming', '--hours', '169']);
    expect(tooFar.err).toBe('error: --hours is 168 at the most: 169\n');
    expect(JSON.parse((await cluster.run(['upcoming', '--json'])).out)).toEqual([launch]);
  });

  test.each([
    [1, 'Nothing is due in that time\n'],
    [0, 'The scheduler is off\n'],
  ])('says why there is nothing (scheduler %j)', async (enabled, err) => {
    cluster.answers.set('get_upcoming', { rows: [], list: { length: 0 }, until: 0, enabled });
    expect(await cluster.run(['upcoming'])).toMatchObject({ exitCode: 0, out: '', err });
  });
});

test('job delete goes on after a refusal and then fails', async () => {
  cluster.answers.set('delete_job', {});
  expect((await cluster.run(['job', 'delete', 'j1', 'j2'])).out).toBe('Deleted job j1\nDeleted job j2\n');
  cluster.answers.set('delete_job', Object.assign(new Error('Job not found'), { name: 'job' }));
  const { exitCode, err } = await cluster.run(['job', 'delete', 'j1', 'j2']);
  expect({ exitCode, err }).toEqual({
    exitCode: 1,
    err: 'error: j1: Job not found\nj2: Job not found\n',
  });
});

describe('servers', () => {
  const server = {
    id: 'n1',
    hostname: 'web1',
    health: 'alive',
    disabled: 0,
    draining: 0,
    active_jobs: 3,
    slots: 0,
    uptime: 75,
    data: { cpu: 1, mem: 1_572_864 },
    groups: ['web', 'allgrp'],
  };

  test('are listed with state and load', async () => {
    const servers = {
      web1: server,
      web2: { ...server, hostname: 'web2', id: 'n2', draining: 1, slots: 4 },
      web3: { ...server, hostname: 'web3', id: 'n3', disabled: 1 },
      web4: { ...server, hostname: 'web4', id: 'n4', health: 'silent' },
    };
    cluster.answers.set('get_servers', { servers });
    expect((await cluster.run(['server', 'list'])).out.split('\n')).toEqual([
      'SERVER  ID  STATE         JOBS  SLOTS      UP  MEMORY  GROUPS',
      'web1    n1  ready            3    any  1m 15s  1.5 MB  web, allgrp',
      'web2    n2  draining         3      4  1m 15s  1.5 MB  web, allgrp',
      'web3    n3  disconnected     3    any  1m 15s  1.5 MB  web, allgrp',
      'web4    n4  silent           3    any  1m 15s  1.5 MB  web, allgrp',
      '',
    ]);
    expect(JSON.parse((await cluster.run(['server', 'list', '--json'])).out)).toHaveLength(4);
    cluster.answers.set('get_servers', { servers: {} });
    expect((await cluster.run(['server', 'list'])).err).toContain('carillon start');
  });

  test('are drained, restarted and removed', async () => {
    for (const name of ['shutdown_server', 'restart_server', 'remove_server']) cluster.answers.set(name, {});
    expect((await cluster.run(['server', 'drain', 'web1', 'web2'])).out).toBe(
      'Draining web1\nDraining web2\n',
    );
    expect(cluster.paramsOf('shutdown_server')).toEqual([{ hostname: 'web1' }, { hostname: 'web2' }]);
    const { out } = await cluster.run(['server', 'drain', 'web1', '--restart', '--grace', '0']);
    expect(out).toBe('Draining web1, which then starts anew\n');
    expect(cluster.paramsOf('restart_server')).toEqual([{ hostname: 'web1', grace: 0 }]);
    expect((await cluster.run(['server', 'remove', 'web1'])).out).toBe('Removed web1\n');
    expect((await cluster.run(['server', 'drain', 'web1', '--grace', 'x'])).exitCode).toBe(2);
  });
});

describe('one key', () => {
  test('is shown without itself', async () => {
    cluster.answers.set('get_api_key', { api_key: { ...keys[0], description: 'Builds' } });
    const { out } = await cluster.run(['key', 'show', 'CI']);
    expect(cluster.paramsOf('get_api_key')).toEqual([{ id: 'k2' }]);
    expect(out).toContain('description  Builds\n');
    expect(out).toContain('may          run_events, cat_limit\n');
    expect(JSON.parse((await cluster.run(['key', 'show', 'k2', '--json'])).out)).toMatchObject({ id: 'k2' });
  });

  test('is changed in what is given; privileges are replaced together', async () => {
    await cluster.run(['key', 'edit', 'CI', '--set', 'active=1', '--allow', 'run_events']);
    await cluster.run(['key', 'edit', 'CI', '--set', 'title=New']);
    expect(cluster.paramsOf('update_api_key')).toEqual([
      { id: 'k2', active: 1, privileges: { run_events: 1 } },
      { id: 'k2', title: 'New' },
    ]);
    const { exitCode, err } = await cluster.run(['key', 'edit', 'CI']);
    expect(exitCode).toBe(2);
    expect(err).toContain('Nothing to change');
  });
});

describe('servers and deliveries', () => {
  const server = {
    id: 'n1',
    hostname: 'web1',
    ip: '10.0.0.1',
    master: 0,
    groups: ['web'],
    slots: 0,
    active_jobs: 2,
    draining: 0,
    health: 'alive',
    disabled: 0,
    uptime: 60,
    data: { cpu: 12.4, mem: 1_048_576 },
    created: 1_445_232_960,
  };

  test('one server is shown by how its name starts', async () => {
    cluster.answers.set('get_servers', { servers: { web1: server } });
    const { out } = await cluster.run(['server', 'show', 'we']);
    expect(out).toContain('server       web1\nid           n1\naddress      10.0.0.1\nstate        ready\n');
    expect(JSON.parse((await cluster.run(['server', 'show', 'n1', '--json'])).out)).toEqual(server);
    expect((await cluster.run(['server', 'show', 'db'])).err).toContain(
      'No server with the id or title "db"',
    );
  });

  test('drain is a command of its own as well', async () => {
    for (const name of ['restart_server', 'shutdown_server']) cluster.answers.set(name, {});
    await cluster.run(['drain', 'web1', '--grace', '5']);
    await cluster.run(['drain', 'web1', '--restart']);
    expect(cluster.paramsOf('shutdown_server')).toEqual([{ hostname: 'web1', grace: 5 }]);
    expect(cluster.paramsOf('restart_server')).toEqual([{ hostname: 'web1' }]);
  });

  test('deliveries tell where to and how it went', async () => {
    const delivery = { id: 'd1', type: 'hook', action: 'job_complete', event: 'e1', job: 'j1', elapsed: 1 };
    const sent = {
      target: 'https://x.example',
      attempts: 3,
      code: 503,
      description: 'Busy',
      epoch: 1_445_232_960,
    };
    cluster.answers.set('get_deliveries', { rows: [{ ...delivery, ...sent }], list: {}, waiting: 2 });
    const { out, err } = await cluster.run(['deliveries', 'j1', '-n', '5']);
    expect(out.split('\n')[1]).toBe(
      '2015-10-19 05:36:00  hook  j1     https://x.example      3  503     Busy',
    );
    expect(err).toBe('2 on their way\n');
    expect(cluster.paramsOf('get_deliveries')).toEqual([{ job: 'j1', limit: 5 }]);
  });
});
