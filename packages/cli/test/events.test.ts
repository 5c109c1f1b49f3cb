import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FakeCluster } from './fake-cluster.js';

let cluster: FakeCluster;
beforeEach(async () => {
  cluster = await new FakeCluster().start();
  cluster.events = [
    { ...event, id: 'e2', title: 'Backup Logs', timing: { minutes: [5] }, enabled: 0 },
    { ...event, id: 'e1', title: 'Backup Database', timing: { hours: [4], minutes: [30] } },
  ];
});
afterEach(() => cluster.stop());

const event = {
  enabled: 1,
  category: 'general',
  plugin: 'shellplug',
  target: 'allgrp',
  params: { script: '#!/bin/sh\n\nbackup --all\n', annotate: 0 },
  timezone: 'Europe/London',
  max_children: 1,
  timeout: 3600,
  created: 1_445_232_960,
  modified: 1_449_941_100,
  notify_fail: '',
};

describe('event list', () => {
  test('prints a table', async () => {
    const { exitCode, out, err } = await cluster.run(['event', 'list']);
    expect(out).toBe(
      [
        'ID  TITLE            STATE  TIMING          TARGET  PLUGIN     CATEGORY',
        'e2  Backup Logs      off    hourly at :05   allgrp  shellplug  general',
        'e1  Backup Database  on     daily at 04:30  allgrp  shellplug  general',
        '',
      ].join('\n'),
    );
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
  });

  test('fits the terminal, but never a file', async () => {
    const narrow = await cluster.run(['event', 'list'], { isTTY: true, columns: 60 });
    expect(Math.max(...narrow.out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60);
    const file = await cluster.run(['event', 'list'], { isTTY: false, columns: 60 });
    expect(file.out).toContain('daily at 04:30');
  });

  test('filters, and answers in JSON', async () => {
    const { out } = await cluster.run(['event', 'list', 'data', '--json']);
    expect(JSON.parse(out).map((one: { id: string }) => one.id)).toEqual(['e1']);
  });

  test('says when there is nothing', async () => {
    cluster.events = [];
    const { out, err, exitCode } = await cluster.run(['event', 'list']);
    expect({ out, exitCode }).toEqual({ out: '', exitCode: 0 });
    expect(err).toContain('carillon event create');
    expect((await cluster.run(['event', 'list', '--json'])).out).toBe('[]\n');
  });
});

test('event show prints properties, parameters and active jobs', async () => {
  const stat = { min: 19, max: 19, total: 19, count: 1, current: 19 };
  cluster.jobs.set('j1', {
    id: 'j1',
    event: 'e1',
    event_title: 'Backup Database',
    state: 'running',
    hostname: 'db1',
    progress: 0.456,
    elapsed: 75.2,
    cpu: stat,
    mem: { ...stat, current: 1_572_864 },
  });
  const { out } = await cluster.run(['event', 'show', 'Backup Database']);
  expect(out).toBe(
    [
      'id            e1',
      'title         Backup Database',
      'state         on',
      'timing        daily at 04:30',
      'timezone      Europe/London',
      'category      general',
      'max_children  1',
      'plugin        shellplug',
      'target        allgrp',
      'timeout       3600',
      'created       2015-10-19 05:36:00',
      'modified      2015-12-12 17:25:00',
      'param script:',
      '    #!/bin/sh',
      '',
      '    backup --all',
      'param annotate: 0',
      '',
      'JOB  EVENT            STATE    SERVER  DONE  ELAPSED  CPU  MEMORY',
      'j1   Backup Database  running  db1      46%   1m 15s  19%  1.5 MB',
      '',
    ].join('\n'),
  );
});

describe('finding an event', () => {
  test.each([
    ['its id', 'e1', 'e1'],
    ['its exact title', 'Backup Logs', 'e2'],
    ['how its title starts', 'backup d', 'e1'],
  ])('by %s', async (_what, text, id) => {
    expect(JSON.parse((await cluster.run(['event', 'show', text, '--json'])).out).event.id).toBe(id);
  });

  test.each([
    ['Backup', '2 events start with "Backup":\n  e2  Backup Logs\n  e1  Backup Database\n'],
    ['Bakup Logs', 'No event with the id or title "Bakup Logs". Did you mean:\n  e2  Backup Logs\n'],
    ['database', 'No event with the id or title "database". Did you mean:\n  e1  Backup Database\n'],
    ['xyz', 'No event with the id or title "xyz". See: carillon event list\n'],
  ])('%j is an error with help', async (text, message) => {
    const { exitCode, out, err } = await cluster.run(['event', 'show', text]);
    expect({ exitCode, out, err }).toEqual({ exitCode: 1, out: '', err: `error: ${message}` });
  });
});

describe('event create', () => {
  test('with defaults', async () => {
    const { out } = await cluster.run(['event', 'create', 'Clean up', '--script', 'rm -rf /tmp/x']);
    expect(out).toBe('Created event e1 (Clean up), on demand\n');
    expect(cluster.paramsOf('create_event')).toEqual([
      {
        title: 'Clean up',
        enabled: 1,
        category: 'general',
        plugin: 'shellplug',
        target: 'allgrp',
        params: { script: '#!/bin/sh\n\nrm -rf /tmp/x\n' },
      },
    ]);
  });

  test('with everything', async () => {
    const { out } = await cluster.run([
      ...[
        'event',
        'create',
        'Fetch',
        '--id',
        'fetch',
        '--plugin',
        'urlplug',
        '--target',
        'web',
        '--disabled',
      ],
      ...['--cron', '30 4 * * 1-5', '--timezone', 'Asia/Kolkata', '--param', 'url=http://a/?b=c'],
      ...[
        '--param',
        'method=GET',
        '--set',
        'timeout=60',
        '--set',
        'web_hook=http://hook',
        '--set',
        'queue=true',
      ],
    ]);
    expect(out).toBe('Created event fetch (Fetch), Mon-Fri at 04:30\n');
    expect(cluster.paramsOf('create_event')[0]).toEqual({
      title: 'Fetch',
      id: 'fetch',
      enabled: 0,
      category: 'general',
      plugin: 'urlplug',
      target: 'web',
      timezone: 'Asia/Kolkata',
      timing: { minutes: [30], hours: [4], weekdays: [1, 2, 3, 4, 5] },
      params: { url: 'http://a/?b=c', method: 'GET' },
      timeout: 60,
      web_hook: 'http://hook',
      queue: true,
    });
  });

  test.each([
    ['@daily', { minutes: [0], hours: [0] }],
    ['0 4 1 1 * 2030', { minutes: [0], hours: [4], days: [1], months: [1], years: [2030] }],
    ['0 4 * * 7', { minutes: [0], hours: [4], weekdays: [0] }],
    ['h 4 * * *', { minutes: [expect.any(Number)], hours: [4] }],
  ])('at %s', async (cron, timing) => {
    await cluster.run(['event', 'create', 'X', '--cron', cron]);
    expect(cluster.paramsOf('create_event')[0]).toMatchObject({ timing });
  });

  test('says which settings nobody knows', async () => {
    const { exitCode, err } = await cluster.run([
      ...['event', 'create', 'X', '--set', 'retris=2', '--set', 'retries=1', '--set', 'zzzzzzzzzz=1'],
    ]);
    expect({ exitCode, err }).toEqual({
      exitCode: 0,
      err:
        '--set retris: nothing that Carillon knows (did you mean retries?), kept all the same\n' +
        '--set zzzzzzzzzz: nothing that Carillon knows, kept all the same\n',
    });
  });

  test('with a script that is not there', async () => {
    const { exitCode, err } = await cluster.run(['event', 'create', 'X', '--script-file', '/nowhere/x.sh']);
    expect(exitCode).toBe(1);
    expect(err).toMatch(/^error: The script cannot be read: .*nowhere/);
    expect(cluster.paramsOf('create_event')).toEqual([]);
  });

  test('refused by the server', async () => {
    const { exitCode, err } = await cluster.run(['event', 'create', 'X', '--target', 'nowhere']);
    expect({ exitCode, err }).toEqual({
      exitCode: 1,
      err: 'error: Failed to create event: No such target\n',
    });
  });

  test.each([
    [['--cron', '61 25 * * * * *'], /61 25/],
    [['--cron', '* * * *'], /Not five fields .*: \* \* \* \*$/m],
    [['--cron', '61 * * * *'], /Invalid crontab format: 61/],
    [['--cron', '0 4 1 * 1'], /make two events of 0 4 1 \* 1/],
    [['--cron', '* * * * *', '--on-demand'], /either --cron or --on-demand/],
    [['--param', 'novalue'], /--param must be NAME=VALUE: novalue/],
    [['--script', 'a', '--script-file', 'b'], /either --script or --script-file/],
  ])('%j is wrong usage', async (options, message) => {
    const { exitCode, err } = await cluster.run(['event', 'create', 'X', ...options]);
    expect(exitCode).toBe(2);
    expect(err).toMatch(message);
    expect(cluster.paramsOf('create_event')).toEqual([]);
  });
});

describe('event edit', () => {
  test('changes what is given and keeps the other parameters', async () => {
    const { out } = await cluster.run([
      'event',
      'edit',
      'e1',
      '--title',
      'New',
      '--param',
      'annotate=1',
      '--on-demand',
    ]);
    expect(out).toBe('Changed event e1 (New)\n');
    expect(cluster.paramsOf('update_event')).toEqual([
      { id: 'e1', title: 'New', timing: false, params: { script: event.params.script, annotate: '1' } },
    ]);
  });

  test('without a change is wrong usage', async () => {
    expect((await cluster.run(['event', 'edit', 'e1'])).exitCode).toBe(2);
  });
});

describe('several events', () => {
  test('are switched', async () => {
    const { out } = await cluster.run(['event', 'disable', 'e1', 'Backup Logs', 'e1', '--abort-jobs']);
    expect(out).toBe('Disabled event e1 (Backup Database)\nDisabled event e2 (Backup Logs)\n');
    expect(cluster.paramsOf('update_event')).toEqual([
      { id: 'e1', enabled: 0, abort_jobs: 1 },
      { id: 'e2', enabled: 0, abort_jobs: 1 },
    ]);
    expect((await cluster.run(['event', 'enable', 'e2', '--json'])).out).toContain('"e2"');
    expect(cluster.events[0]?.['enabled']).toBe(1);
  });

  test('are deleted, but none when one is misspelt', async () => {
    expect((await cluster.run(['event', 'delete', 'e1', 'e9'])).exitCode).toBe(1);
    expect(cluster.paramsOf('delete_event')).toEqual([]);
    await cluster.run(['event', 'delete', 'e1']);
    expect(cluster.events.map((one) => one['id'])).toEqual(['e2']);
  });
});

describe('a target that nobody knows', () => {
  const server = (hostname: string, groups: string[]) => ({ hostname, groups });
  beforeEach(() => {
    cluster.answers.set('get_server_groups', { rows: [{ id: 'allgrp' }, { id: 'db' }], list: { length: 2 } });
    cluster.answers.set('get_servers', { servers: { web1: server('web1', ['allgrp', 'web']) } });
  });
  const create = ['event', 'create', 'X', '--target'];
  const edit = ['event', 'edit', 'e1', '--target'];

  test.each([
    ['nosuch', 'target nosuch: no server and no group of that name is known now; kept all the same\n'],
    [
      'web2',
      'target web2: no server and no group of that name is known now (did you mean web1?); kept all the same\n',
    ],
    ['web1', ''],
    ['web', ''],
    ['db', ''],
  ])('%s', async (target, err) => {
    expect(await cluster.run([...create, target])).toMatchObject({ exitCode: 0, err });
    expect(await cluster.run([...edit, target])).toMatchObject({ exitCode: 0, err });
    expect(cluster.paramsOf('create_event')[0]).toMatchObject({ target });
    expect(cluster.paramsOf('update_event')[0]).toMatchObject({ target });
  });

  test('is told in JSON mode as well, beside the same answer', async () => {
    const known = await cluster.run([...edit, 'web1', '--json']);
    const { exitCode, out, err } = await cluster.run([...edit, 'nosuch', '--json']);
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: known.out });
    expect(err).toContain('target nosuch');
    expect(JSON.parse((await cluster.run([...create, 'nosuch', '--json'])).out)).toEqual({
      code: 0,
      id: expect.any(String),
    });
  });

  test('is told of targets given by --set', async () => {
    const { err } = await cluster.run(['event', 'create', 'X', '--set', 'target=nosuch']);
    expect(err).toContain('target nosuch');
  });

  test('is not looked up where none is given, nor told where the caller may not see the servers', async () => {
    await cluster.run(['event', 'create', 'X']);
    expect(cluster.paramsOf('get_servers')).toEqual([]);
    const refusal = Object.assign(new Error('Only administrators'), { name: 'session' });
    cluster.answers.set('get_servers', refusal);
    const { exitCode, err } = await cluster.run([...create, 'nosuch']);
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
  });
});
