import type { JobFields } from '@carillon/contract';
import { expandVariables, jobEnvironment, scrubEnvironment } from '@carillon/core';
import { describe, expect, test } from '@jest/globals';

const job = (more: Record<string, unknown> = {}): JobFields => ({
  id: 'j1',
  event: 'e1',
  event_title: 'Event One',
  category: 'c1',
  category_title: 'General',
  plugin: 'p1',
  plugin_title: 'Plugin',
  nice_target: 'box',
  target: 'box',
  params: {},
  command: '/bin/true',
  now: 1_700_000_000,
  hostname: 'box.local',
  log_file: '/logs/j1.log',
  ...more,
});
const build = (more: Record<string, unknown> = {}, base: Record<string, string> = {}) =>
  jobEnvironment({ base, job: job(more), version: '1.2.3', cwd: '/work', marker: 'n:j1-1' });

describe('scrubEnvironment', () => {
  test('takes out the own variables in any case, named ones, and what no process may have', () => {
    const clean = scrubEnvironment(
      {
        PATH: '/bin',
        CARILLON_CLUSTER_SECRET: 's',
        carillon_redis_url: 'r',
        AWS_KEY: 'k',
        NUL: 'a\0b',
        GONE: undefined,
      },
      ['AWS_KEY'],
    );
    expect({ ...clean }).toEqual({ PATH: '/bin' });
  });
});

describe('jobEnvironment', () => {
  test('carries the names of the reference', () => {
    expect({
      ...build({ source: 'Manual (joe)', retries: 2, multiplex: true, catch_up: false }),
    }).toMatchObject({
      CRONICLE: '1.2.3',
      CARILLON: '1.2.3',
      CARILLON_RUN: 'n:j1-1',
      JOB_ID: 'j1',
      JOB_LOG: '/logs/j1.log',
      JOB_LOG_FILE: '/logs/j1.log',
      JOB_NOW: '1700000000',
      JOB_EVENT_TITLE: 'Event One',
      JOB_TARGET: 'box',
      JOB_NICE_TARGET: 'box',
      JOB_HOSTNAME: 'box.local',
      JOB_SOURCE: 'Manual (joe)',
      JOB_RETRIES: '2',
      JOB_MULTIPLEX: '1',
      JOB_CATCH_UP: '0',
      PWD: '/work',
    });
  });

  test('JOB_SOURCE is Scheduler for scheduled jobs', () => {
    expect(build()['JOB_SOURCE']).toBe('Scheduler');
    expect(build({ source: '' })['JOB_SOURCE']).toBe('Scheduler');
  });

  test('later sources win: base, plugin, system, job, user, parameters', () => {
    const environment = jobEnvironment({
      base: { A: 'base', B: 'base', HOME: '/base', JOB_ID: 'base' },
      job: job({ env: { B: 'plugin', C: 'plugin', JOB_ID: 'plugin' }, params: { c: 'param' } }),
      version: '1',
      cwd: '/',
      marker: 'm',
      user: { username: 'joe', home: '/home/joe', shell: '/bin/zsh' },
    });
    expect({ ...environment }).toMatchObject({
      A: 'base',
      B: 'plugin',
      C: 'param',
      JOB_ID: 'j1',
      USER: 'joe',
      USERNAME: 'joe',
      HOME: '/home/joe',
      SHELL: '/bin/zsh',
    });
  });

  test('parameters are expanded from the environment', () => {
    const environment = build({
      params: {
        duration: 5,
        text: 'id=$JOB_ID none=$NOPE lit=\\$JOB_ID',
        list: [1, 2],
        nothing: null,
        on: true,
      },
    });
    expect({ ...environment }).toMatchObject({
      DURATION: '5',
      TEXT: 'id=j1 none= lit=$JOB_ID',
      LIST: '[1,2]',
      NOTHING: '',
      ON: 'true',
    });
  });

  test('leaves out what the system would refuse', () => {
    const environment = build({
      params: {
        'a=b': 'x',
        nul: 'a\0b',
        big: 'x'.repeat(131_071),
        wide: 'ü'.repeat(70_000),
        fits: 'x'.repeat(131_065),
      },
    });
    expect(Object.keys(environment)).not.toEqual(expect.arrayContaining(['A=B']));
    expect(environment).not.toHaveProperty('NUL');
    expect(environment).not.toHaveProperty('BIG');
    expect(environment).not.toHaveProperty('WIDE');
    expect(environment).toHaveProperty('FITS');
  });

  test('names of prototypes are names like any other', () => {
    const params: Record<string, unknown> = JSON.parse('{"__proto__":"p","constructor":"c"}');
    const environment = build({ params });
    expect(Object.getPrototypeOf(environment)).toBeNull();
    expect(environment['__PROTO__']).toBe('p');
    expect(expandVariables('$constructor$toString', environment)).toBe('');
  });
});
