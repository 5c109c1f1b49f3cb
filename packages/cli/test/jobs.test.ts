import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FakeCluster } from './fake-cluster.js';

let cluster: FakeCluster;
const running = {
  id: 'j1',
  event: 'e1',
  event_title: 'Backup',
  category_title: 'General',
  plugin_title: 'Shell Script',
  nice_target: 'All Servers',
  hostname: 'db1',
  state: 'running',
  params: {},
  now: 1_451_341_740,
  time_start: 1_451_341_765.987,
  elapsed: 12,
  progress: 0.25,
};
const ended = (code: number | string, description: string) => ({
  ...running,
  state: 'completed',
  complete: 1,
  code,
  description,
  elapsed: 90.6,
  time_end: 1_451_341_856.61,
});

beforeEach(async () => {
  cluster = await new FakeCluster().start();
  cluster.events = [{ id: 'e1', title: 'Backup', params: {}, enabled: 1 }];
  cluster.jobs.set('j1', running);
});
afterEach(() => cluster.stop());

/** The job runs at the first look and has ended at the second. */
const endAtSecondLook = (code: number, description: string, log: string): void => {
  cluster.logs.set('j1', log);
  cluster.onCall = (name, count) => {
    if (name === 'get_job_status' && count === 2) cluster.jobs.set('j1', ended(code, description));
  };
};

describe('run', () => {
  test('starts a job with its settings', async () => {
    const { exitCode, out } = await cluster.run([
      ...['run', 'backup', '--param', 'db=one', '--param', 'empty=', '--set', 'timeout=5', '--target', 'db1'],
    ]);
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: 'Started job j1 (Backup)\n' });
    expect(cluster.paramsOf('run_event')).toEqual([
      { id: 'e1', params: { db: 'one', empty: '' }, timeout: 5, target: 'db1' },
    ]);
    expect(JSON.parse((await cluster.run(['run', 'e1', '--json'])).out)).toEqual({ ids: ['j1'] });
  });

  test('--watch prints the log and the outcome', async () => {
    endAtSecondLook(0, '', 'one\ntwo');
    expect(await cluster.run(['run', 'e1', '--watch'])).toEqual({
      exitCode: 0,
      out: 'one\ntwo\n',
      err: 'Started job j1 (Backup)\nJob j1 (Backup) completed on db1 after 1m 31s\n',
    });
  });

  test('--watch of a failed job has exit code 1', async () => {
    endAtSecondLook(7, 'Disk full', '');
    const { exitCode, err } = await cluster.run(['run', 'e1', '-w']);
    expect(exitCode).toBe(1);
    expect(err).toContain('Job j1 (Backup) failed with code 7 on db1 after 1m 31s: Disk full\n');
  });

  test('--watch draws a bar on a terminal and clears it away', async () => {
    endAtSecondLook(0, 'Fine', 'log\n');
    const { out, err } = await cluster.run(['run', 'e1', '--watch'], { isTTY: true, columns: 60 });
    expect(out).toBe('log\n');
    const bar = '[#####---------------]  25%  12s  Backup';
    expect(err).toBe(
      `Started job j1 (Backup)\n\r\u001b[K${bar}\r\u001b[KJob j1 (Backup) completed on db1 after 1m 31s: Fine\n`,
    );
  });

  test('--watch --json prints the job alone', async () => {
    endAtSecondLook(1, 'No', 'log\n');
    const { exitCode, out, err } = await cluster.run(['run', 'e1', '--watch', '--json']);
    expect({ exitCode, err }).toEqual({ exitCode: 1, err: '' });
    expect(JSON.parse(out)).toMatchObject([{ id: 'j1', code: 1 }]);
  });

  test('--watch of several jobs tells their lines apart', async () => {
    cluster.jobs.set('j1', ended(0, ''));
    cluster.jobs.set('j2', { ...ended(1, 'No'), id: 'j2' });
    cluster.logs.set('j1', 'one\ntwo');
    cluster.logs.set('j2', 'three\n');
    const { exitCode, out } = await cluster.run(['run', 'e1', '--watch']);
    expect(exitCode).toBe(1);
    expect(out.split('\n').sort()).toEqual(['', 'j1: one', 'j1: two', 'j2: three']);
  });

  test('--watch can be given up without harm to the job', async () => {
    const controller = new AbortController();
    cluster.onCall = (name) => {
      if (name === 'get_job_status') controller.abort();
    };
    const { exitCode, err } = await cluster.run(['run', 'e1', '--watch'], { signal: controller.signal });
    expect(exitCode).toBe(130);
    expect(err).toBe('Started job j1 (Backup)\nStopped watching; the job goes on: j1\n');
    expect(cluster.paramsOf('abort_job')).toEqual([]);
  });
});

describe('job', () => {
  test('list', async () => {
    const { out } = await cluster.run(['job', 'list']);
    expect(out).toBe(
      [
        'JOB  EVENT   STATE    SERVER  DONE  ELAPSED  CPU  MEMORY',
        'j1   Backup  running  db1      25%      12s',
        '',
      ].join('\n'),
    );
    cluster.jobs.clear();
    expect(await cluster.run(['job', 'list'])).toEqual({
      exitCode: 0,
      out: '',
      err: 'There are no active jobs\n',
    });
  });

  test('show', async () => {
    const stat = { min: 10, max: 30, total: 40, count: 2, current: 30 };
    cluster.jobs.set('j1', {
      ...ended(999, 'Went wrong'),
      source: 'API Key (CI)',
      cpu: stat,
      log_file_size: 2048,
    });
    const { out } = await cluster.run(['job', 'show', 'j1']);
    expect(out).toBe(
      [
        'id           j1',
        'event        Backup (e1)',
        'state        completed',
        'result       failed (999)',
        'description  Went wrong',
        'server       db1',
        'target       All Servers',
        'category     General',
        'plugin       Shell Script',
        'source       API Key (CI)',
        'due          2015-12-28 22:29:00',
        'started      2015-12-28 22:29:25',
        'ended        2015-12-28 22:30:56',
        'elapsed      1m 31s',
        'cpu          20% (peak 30%)',
        'log          2 KB',
        '',
      ].join('\n'),
    );
  });

  test('log, at once and followed', async () => {
    endAtSecondLook(1, 'x', 'one\ntwo\n');
    expect(await cluster.run(['job', 'log', 'j1'])).toEqual({ exitCode: 0, out: 'one\ntwo\n', err: '' });
    expect(await cluster.run(['job', 'log', 'j1', '-f'])).toEqual({
      exitCode: 0,
      out: 'one\ntwo\n',
      err: '',
    });
    expect((await cluster.run(['job', 'log', 'j9'])).err).toBe('error: Failed to fetch job log\n');
  });

  test('abort', async () => {
    expect((await cluster.run(['job', 'abort', 'j1'])).out).toBe('Aborting job j1\n');
    const { exitCode, out, err } = await cluster.run(['job', 'abort', 'j9', 'j1']);
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: 'Aborting job j1\n' });
    expect(err).toBe('error: j9: Failed to locate job\n');
  });
});

describe('history', () => {
  const row = (id: string, event: string, code: number | string, description?: string) => ({
    id,
    event,
    event_title: event === 'e1' ? 'Backup' : 'Other',
    code,
    hostname: 'db1',
    time_start: 1_451_341_765.987,
    elapsed: 0.25,
    ...(description === undefined ? {} : { description }),
  });
  beforeEach(() => {
    cluster.history = [row('j3', 'e1', 0), row('j2', 'e2', 'SIGKILL', 'Killed'), row('j1', 'e1', 1, 'No')];
  });

  test('of all events', async () => {
    const { out } = await cluster.run(['history']);
    expect(out).toBe(
      [
        'JOB  EVENT   STARTED              ELAPSED  SERVER  RESULT            DESCRIPTION',
        'j3   Backup  2015-12-28 22:29:25     0.3s  db1     ok',
        'j2   Other   2015-12-28 22:29:25     0.3s  db1     failed (SIGKILL)  Killed',
        'j1   Backup  2015-12-28 22:29:25     0.3s  db1     failed            No',
        '',
      ].join('\n'),
    );
  });

  test.each([
    [
      ['history', 'Backup'],
      ['j3', 'j1'],
    ],
    [
      ['history', '--failed'],
      ['j2', 'j1'],
    ],
    [['history', '-n', '1'], ['j3']],
  ])('%j', async (argv, ids) => {
    const { out } = await cluster.run([...argv, '--json']);
    expect(JSON.parse(out).map((one: { id: string }) => one.id)).toEqual(ids);
  });

  test('a malformed limit is wrong usage', async () => {
    expect(await cluster.run(['history', '--limit', 'many'])).toEqual({
      exitCode: 2,
      out: '',
      err: 'error: --limit must be a whole number, at least 1: many\n',
    });
  });
});

describe('status and scheduler', () => {
  test('status', async () => {
    const status = {
      version: '1.2.3',
      primary: { id: 'n1', url: 'http://cron.test', term: 7 },
      store: { ready: 1, latency_ms: 2 },
      servers: { total: 3, ready: 2, draining: 0, silent: 1, lost: 0 },
      versions: { '1.2.3': 2, '1.2.2': 1 },
      enabled: 1,
      jobs: { running: 1, queued: 2 },
      events: 5,
      events_enabled: 4,
      deliveries_waiting: 0,
    };
    cluster.answers.set('status', status);
    const { out } = await cluster.run(['status']);
    expect(out).toBe(
      [
        'primary         http://cron.test',
        'term            7',
        'version         1.2.3',
        'store           ready (2 ms)',
        'scheduler       on',
        'servers         3 (2 ready, 1 silent)',
        'their versions  1.2.3, 1.2.2',
        'active jobs     3 (1 running, 2 queued)',
        'events          5 (4 enabled)',
        'deliveries      0',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await cluster.run(['status', '--json'])).out)).toEqual({
      ...status,
      primary: 'http://cron.test',
      term: 7,
      jobs: { total: 3, running: 1, queued: 2 },
    });
    cluster.answers.set('status', { ...status, store: { ready: 0, latency_ms: 3000 } });
    expect((await cluster.run(['status'])).out).toContain('NOT READY');
  });

  test('scheduler', async () => {
    expect((await cluster.run(['scheduler', 'off'])).out).toBe('The scheduler is off\n');
    expect((await cluster.run(['scheduler'])).out).toBe('The scheduler is off\n');
    expect((await cluster.run(['scheduler', 'on', '--json'])).out).toBe('{\n  "enabled": 1\n}\n');
    expect((await cluster.run(['scheduler', 'maybe'])).exitCode).toBe(2);
    expect(cluster.enabled).toBe(1);
  });
});

describe('several jobs', () => {
  beforeEach(() => {
    cluster.answers.set('update_job', {});
    cluster.answers.set('update_jobs', { count: 2 });
    cluster.answers.set('abort_jobs', { count: 1 });
  });

  test('are changed one by one, or all that match', async () => {
    expect((await cluster.run(['job', 'edit', 'j1', '--set', 'timeout=60'])).out).toBe('Changed job j1\n');
    expect(cluster.paramsOf('update_job')).toEqual([{ id: 'j1', timeout: 60 }]);
    const argv = ['job', 'edit', '--where', 'event=e1', '--where', 'category=c', '--set', 'retries=0'];
    expect((await cluster.run(argv)).out).toBe('Changed 2 jobs\n');
    expect(cluster.paramsOf('update_jobs')).toEqual([
      { event: 'e1', category: 'c', updates: { retries: 0 } },
    ]);
    expect(JSON.parse((await cluster.run([...argv, '--json'])).out)).toEqual({ count: 2 });
  });

  test('are aborted one by one, or all that match', async () => {
    await cluster.run(['job', 'abort', 'j1']);
    expect(cluster.paramsOf('abort_job')).toEqual([{ id: 'j1' }]);
    expect((await cluster.run(['job', 'abort', '--where', 'event=e1'])).out).toBe('Aborting 1 job\n');
    await cluster.run(['job', 'abort', '--all', '--no-rewind']);
    expect(cluster.paramsOf('abort_jobs')).toEqual([{ event: 'e1' }, { no_rewind: 1 }]);
  });

  test.each([
    [['job', 'abort'], 'Name jobs, or say which with --where or --all'],
    [['job', 'abort', 'j1', '--all'], 'Name jobs, or say which'],
    [['job', 'edit', '--set', 'timeout=1'], 'Name jobs, or say which'],
    [['job', 'edit', 'j1'], "required option '--set <name=value>' not specified"],
    [['job', 'abort', '--where', 'event'], '--where must be NAME=VALUE: event'],
  ])('%j is wrong usage, and nothing is aborted', async (argv, message) => {
    const { exitCode, err } = await cluster.run(argv);
    expect(exitCode).toBe(2);
    expect(err).toContain(message);
    expect(cluster.calls).toEqual([]);
  });

  test('of a queue are flushed', async () => {
    cluster.answers.set('flush_event_queue', {});
    expect((await cluster.run(['event', 'flush', 'Backup'])).out).toBe(
      'Flushed the queue of event e1 (Backup)\n',
    );
    expect(cluster.paramsOf('flush_event_queue')).toEqual([{ id: 'e1' }]);
  });
});

describe('the cluster', () => {
  test('gets another primary', async () => {
    const status = cluster.answers.get('status');
    cluster.answers.set('step_down', { term: 7 });
    cluster.onCall = (name, count) => {
      const url = count === 1 ? 'http://one.test' : 'http://two.test';
      if (name === 'status') cluster.answers.set('status', { ...status, primary: { id: 'n', url, term: 7 } });
    };
    const { exitCode, out } = await cluster.run(['step-down', '--quiet', '60']);
    expect({ exitCode, out }).toEqual({
      exitCode: 0,
      out: 'http://one.test has stepped down; http://two.test is the primary now\n',
    });
    expect(cluster.paramsOf('step_down')).toEqual([{ quiet: 60 }]);
    expect(JSON.parse((await cluster.run(['step-down', '--json'])).out)).toEqual({
      term: 7,
      before: 'http://two.test',
      primary: 'http://two.test',
    });
    expect((await cluster.run(['step-down'])).out).toBe(
      'http://two.test has stepped down; http://two.test is the primary again\n',
    );
  });
});
