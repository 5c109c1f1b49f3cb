import type { JobFields, JobOutcome } from '@carillon/contract';
import { describe, expect, test } from '@jest/globals';
import { Harness, jobFields, shellJob, startMs } from './support/harness.js';

const started = async (harness = new Harness()): Promise<Harness> => {
  await harness.worker.start();
  return harness;
};

describe('a plugin job', () => {
  test('is claimed, run, logged and reported once', async () => {
    const harness = await started();
    await harness.dispatch(jobFields('j1', { log_expire_days: 3, pid: 99 }));
    const process = await harness.launcher.process();
    process.say('hello\n{"progress":0.5,"perf":"a=1"}\n');
    await harness.clock.advanceSettling(1500);
    process.complain('warning\n');
    process.say('{"complete":1,"description":"well done"}\nlast line');
    await harness.settle();
    process.exit(0);
    await harness.results.reached(1);
    await harness.settle();

    expect(harness.results.values).toEqual([
      {
        job: 'j1',
        attempt: 1,
        node: 'n1',
        hostname: 'box.local',
        pid: 1000,
        time_start: startMs / 1000,
        time_end: startMs / 1000 + 1.5,
        outcome: { code: 0, description: 'well done' },
        log_file_size: Buffer.byteLength((await harness.archive.text('j1')) ?? ''),
        reported: { progress: 0.5, perf: 'a=1' },
      },
    ]);
    expect(await harness.archive.text('j1')).toBe(
      [
        '# Job ID: j1',
        '# Event Title: Event One',
        '# Hostname: box.local',
        '# Date/Time: 2024/01/02 03:04:05 (GMT+0)',
        '',
        'hello',
        'warning',
        'last line',
        '',
        '# Job completed successfully at 2024/01/02 03:04:06 (GMT+0).',
        '# Description: well done',
        '# End of log.',
        '',
      ].join('\n'),
    );
    expect(harness.archive.expireSec.get('j1')).toBe(3 * 86_400);
    expect(harness.worker.runCount).toBe(0);
    expect(harness.logs.jobs()).toEqual([]);
    expect(await harness.spool.list()).toEqual([]);
    await harness.worker.stop();
    expect(harness.clock.pending).toBe(0);
  });

  test('is started with its command, environment and input', async () => {
    const harness = await started();
    await harness.dispatch(
      jobFields('j1', { pid: 99, cwd: '/srv', env: { MORE: '1' }, params: { size: 3 } }),
    );
    const process = await harness.launcher.process();
    const { spec } = process;
    expect(spec.program).toEqual({ kind: 'exec', file: '/opt/plugin', args: ['--id', 'j1'] });
    expect(spec).toMatchObject({ name: 'j1-1', cwd: '/srv' });
    expect({ ...spec.env }).toMatchObject({
      PATH: '/usr/bin:/bin',
      MORE: '1',
      SIZE: '3',
      JOB_ID: 'j1',
      JOB_LOG: '/memory/j1.log',
      JOB_SOURCE: 'Scheduler',
      CRONICLE: '1.2.3',
      PWD: '/srv',
      CARILLON_RUN: 'n1:j1-1',
    });
    expect(spec.env).not.toHaveProperty('CARILLON_CLUSTER_SECRET');
    expect(spec.env).not.toHaveProperty('JOB_PID');
    expect(process.input.endsWith('}\n')).toBe(true);
    const input: unknown = JSON.parse(process.input);
    const { pid: _pid, ...job } = jobFields('j1', {
      pid: 99,
      cwd: '/srv',
      env: { MORE: '1' },
      params: { size: 3 },
    });
    expect(input).toEqual({ ...job, log_file: '/memory/j1.log', pid: process.pid });
    process.exit(1);
    await harness.worker.stop();
  });

  test.each<[string, Record<string, unknown>, unknown]>([
    ['the default directory', {}, { cwd: '/jobs' }],
    ['an empty one', { cwd: '' }, { cwd: '/jobs' }],
    ['one below the default', { cwd: 'below/it' }, { cwd: '/jobs/below/it' }],
    [
      'a built-in program',
      { command: 'builtin:url -v' },
      { program: { kind: 'exec', file: '/node', args: ['url.js', '-v'] } },
    ],
    ['a user', { uid: 'joe' }, { uid: 501, gid: 20 }],
    ['a user and a group', { uid: 501, gid: 'staff' }, { uid: 501, gid: 50 }],
    ['a group alone', { gid: 'staff' }, { gid: 50 }],
  ])('%s', async (_name, more, expected) => {
    const harness = await started();
    const joe = { uid: 501, gid: 20, username: 'joe', home: '/home/joe', shell: '/bin/zsh' };
    harness.launcher.users.set('joe', joe).set('501', joe);
    harness.launcher.groups.set('staff', 50);
    await harness.dispatch(jobFields('j1', more));
    const process = await harness.launcher.process();
    expect(process.spec).toMatchObject(Object(expected));
    if (more['uid'] !== undefined) {
      expect({ ...process.spec.env }).toMatchObject({ USER: 'joe', HOME: '/home/joe', SHELL: '/bin/zsh' });
    }
    process.exit(0);
    await harness.worker.stop();
  });

  test('settings changed while it runs count at its end', async () => {
    const harness = new Harness();
    await harness.elect();
    await started(harness);
    await harness.dispatch(jobFields('j1'));
    const process = await harness.launcher.process();
    await harness.settle();
    harness.primary.send({
      type: 'update',
      job: 'j1',
      attempt: 1,
      settings: { log_expire_days: 7, id: 'other' },
    });
    await harness.settle();
    process.exit(0);
    await harness.results.reached(1);
    expect(harness.archive.expireSec.get('j1')).toBe(7 * 86_400);
    await harness.worker.stop();
  });

  test('the second attempt keeps the first start, and waits for the first to be tidied up', async () => {
    const harness = await started();
    await harness.dispatch(jobFields('j1'));
    (await harness.launcher.process(1)).exit(1);
    await harness.results.reached(1);
    await harness.dispatch(jobFields('j1', { time_start: 1234.5 }), 2);
    const second = await harness.launcher.process(2);
    second.exit(2);
    await harness.results.reached(2);
    expect(harness.results.values[1]).toMatchObject({ attempt: 2, time_start: 1234.5, outcome: { code: 2 } });
    await harness.worker.stop();
  });

  test('a background child that keeps the pipes delays the end by the quiet time only', async () => {
    const harness = await started();
    await harness.dispatch(jobFields('j1'));
    const process = await harness.launcher.process();
    await harness.settle();
    process.exit(0, true);
    await harness.clock.advanceSettling(60);
    process.say('late\n');
    await harness.clock.advanceSettling(60);
    expect(harness.results.values.length).toBe(0);
    await harness.clock.advanceSettling(60);
    expect(harness.results.values.length).toBe(1);
    expect(await harness.archive.text('j1')).toContain('late\n');
    await harness.worker.stop();
    expect(harness.clock.pending).toBe(0);
  });

  test('silence counts only when a second look confirms it: the first may have come before the reading', async () => {
    const harness = await started();
    await harness.dispatch(jobFields('j1'));
    const process = await harness.launcher.process();
    await harness.settle();
    process.exit(0, true);
    await harness.clock.advanceSettling(100);
    process.say('was there all the time\n');
    await harness.clock.advanceSettling(5);
    expect(harness.results.values.length).toBe(0);
    await harness.clock.advanceSettling(100);
    expect(await harness.archive.text('j1')).toContain('was there all the time\n');
    await harness.worker.stop();
  });

  test('a background child that never stops talking delays the end by a second', async () => {
    const harness = await started();
    await harness.dispatch(jobFields('j1'));
    const process = await harness.launcher.process();
    process.exit(0, true);
    for (let ms = 0; ms < 1100 && harness.results.values.length === 0; ms += 50) {
      process.say('tick\n');
      await harness.clock.advanceSettling(50);
    }
    expect(harness.results.values[0]?.time_end).toBeCloseTo(startMs / 1000 + 1, 1);
    await harness.worker.stop();
  });
});

describe('failures to start are outcomes, with log and result', () => {
  test.each<[string, JobFields, JobOutcome]>([
    [
      'plugin',
      jobFields('j1', { command: '/no/such -x' }),
      { code: 1, description: 'Child spawn error: /no/such -x: Nope' },
    ],
    ['shell script', shellJob('j1', '#!/no/such'), { code: 1, description: 'Script failed: Nope' }],
    [
      'unknown built-in',
      jobFields('j1', { command: 'builtin:constructor' }),
      {
        code: 1,
        description: 'Child spawn error: builtin:constructor: This worker has no such built-in program',
      },
    ],
    [
      'unknown user',
      jobFields('j1', { uid: 'ghost' }),
      { code: 1, description: 'Plugin Error: User does not exist: ghost' },
    ],
    [
      'unknown group',
      jobFields('j1', { gid: 'ghosts' }),
      { code: 1, description: 'Plugin Error: Group does not exist: ghosts' },
    ],
  ])('%s', async (_name, job, outcome) => {
    const harness = await started();
    harness.launcher.failure = 'Nope';
    await harness.dispatch(job);
    await harness.results.reached(1);
    expect(harness.results.values[0]).toMatchObject({ outcome, pid: 0, time_start: startMs / 1000 });
    expect(await harness.archive.text('j1')).toContain(`# Error: ${outcome.description}\n# End of log.\n`);
    await harness.worker.stop();
  });

  test('another user without being root', async () => {
    const harness = await started(new Harness({ process: { pid: 77, uid: 1000 } }));
    const joe = { uid: 501, gid: 20, username: 'joe', home: '/home/joe', shell: '/bin/sh' };
    harness.launcher.users.set('joe', joe).set('me', { ...joe, uid: 1000 });
    await harness.dispatch(jobFields('j1', { uid: 'joe' }));
    await harness.results.reached(1);
    expect(harness.results.values[0]?.outcome.description).toBe(
      'Plugin Error: Cannot run as user joe: the worker does not run as root',
    );
    await harness.dispatch(jobFields('j2', { uid: 'me' }));
    const process = await harness.launcher.process();
    expect(process.spec).not.toHaveProperty('uid');
    process.exit(0);
    await harness.worker.stop();
  });

  test('a log that cannot be opened', async () => {
    const harness = new Harness();
    harness.logs.open = () => Promise.reject(new Error('ENOSPC: no space left on device'));
    await started(harness);
    await harness.dispatch(jobFields('j1'));
    await harness.results.reached(1);
    expect(harness.results.values[0]?.outcome).toEqual({
      code: 1,
      description: 'Child spawn error: /opt/plugin --id $JOB_ID: ENOSPC: no space left on device',
    });
    await harness.worker.stop();
  });

  test('a log that cannot be written is given up, the run is not', async () => {
    const harness = new Harness();
    const open = harness.logs.open.bind(harness.logs);
    harness.logs.open = async (job) => {
      const writer = await open(job);
      const write = writer.write.bind(writer);
      let writes = 0;
      writer.write = (chunk) => {
        writes += 1;
        return writes > 2 ? Promise.reject(new Error('ENOSPC')) : write(chunk);
      };
      return writer;
    };
    await started(harness);
    await harness.dispatch(shellJob('j1', 'x'));
    const process = await harness.launcher.process();
    for (const text of ['one\n', 'two\n', '30%\n', 'three\n']) {
      process.say(text);
      await harness.settle();
    }
    process.exit(0);
    await harness.results.reached(1);
    expect(harness.results.values[0]).toMatchObject({
      outcome: {
        code: 0,
        description: '',
        warning: 'The log of this job is not whole, it could not be written: ENOSPC',
      },
      reported: { progress: 0.3 },
    });
    expect(harness.logger.lines.filter((line) => line.level === 'error').length).toBe(1);
    await harness.worker.stop();
  });
});

test('a shell job uses the shell protocol', async () => {
  const harness = await started();
  await harness.dispatch(shellJob('j1', '#!/bin/sh\nfalse'));
  const process = await harness.launcher.process();
  expect(process.spec.program).toEqual({ kind: 'script', source: '#!/bin/sh\nfalse' });
  process.complain('broken pipe\n');
  await harness.settle();
  process.exit(4);
  await harness.results.reached(1);
  expect(harness.results.values[0]).toMatchObject({
    outcome: { code: 4, description: 'Script exited with code: 4: broken pipe' },
    reported: { html: { title: 'Error Output' } },
  });
  await harness.worker.stop();
});

test('samples: memory from the first, CPU as soon as it is known, for all jobs in one pass', async () => {
  const harness = new Harness();
  await harness.elect();
  await started(harness);
  harness.launcher.samples.set(77, { cpu: 12, mem: 5000 });
  await harness.dispatch(jobFields('j1'));
  const process = await harness.launcher.process();
  for (const sample of [{ mem: 100 }, { cpu: 50, mem: 300 }, { cpu: 10, mem: 200 }]) {
    harness.launcher.samples.set(process.pid, sample);
    await harness.clock.advanceSettling(1000);
  }
  await harness.clock.advanceSettling(1000);
  const cpu = { min: 10, max: 50, total: 70, count: 3, current: 10 };
  const mem = { min: 100, max: 300, total: 800, count: 4, current: 200 };
  const beats = harness.primary.ofType('beat');
  expect(beats.at(-1)).toMatchObject({ cpu: 12, mem: 5000, runs: [{ job: 'j1', attempt: 1, cpu, mem }] });
  process.exit(0);
  await harness.results.reached(1);
  expect(harness.results.values[0]).toMatchObject({ cpu, mem });
  await harness.worker.stop();
});
