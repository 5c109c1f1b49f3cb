import { afterEach, describe, expect, test } from '@jest/globals';
import type { JobResult } from '@carillon/contract';
import { planEnd } from '@carillon/core';
import { stopAll, TestApi } from '../support/api-server.js';
import { referenceOffice } from '../support/reference-state.js';

/** The long answers of the API reference: every property they print has to come out. */

afterEach(stopAll);

async function start() {
  const office = referenceOffice();
  return { office, api: await TestApi.start({ office }) };
}

describe('events', () => {
  /** The row of the get_schedule example; its `catch_up: false` is answered as 0. */
  const printedRow = {
    enabled: 1,
    params: { script: '#!/bin/sh\n\n/usr/local/bin/db-reindex.pl\n' },
    timing: { minutes: [10] },
    max_children: 1,
    timeout: 3600,
    catch_up: 0,
    plugin: 'shellplug',
    title: 'Rebuild Indexes',
    category: 'general',
    target: 'c33ff006',
    multiplex: 0,
    retries: 0,
    detached: 0,
    notify_success: '',
    notify_fail: '',
    web_hook: '',
    notes: '',
    timezone: 'America/Los_Angeles',
  };
  /** What the get_event example has beside it. */
  const limits = {
    retry_delay: 0,
    cpu_limit: 0,
    cpu_sustain: 0,
    memory_limit: 0,
    memory_sustain: 0,
    log_max_size: 0,
  };

  test.each([
    ['get_schedule', printedRow],
    ['get_event', { ...printedRow, ...limits, enabled: 0, target: 'all' }],
  ])('the example of %s, created through the API, is answered whole', async (_name, settings) => {
    const { api } = await start();
    const { id } = await api.call('create_event', { ...settings, catch_up: false });
    const event = {
      ...settings,
      id,
      created: expect.any(Number),
      modified: expect.any(Number),
      api_key: 'kadmin',
    };
    expect(await api.call('get_event', { id })).toEqual({ code: 0, event });
    expect(await api.call('get_schedule', { limit: 1 })).toMatchObject({ rows: [event] });
  });

  test.each([
    [{ minutes: [0] }],
    [{ hours: [4, 16], minutes: [30] }],
    [
      {
        years: [2015],
        months: [3, 4, 5],
        days: [1, 15],
        weekdays: [1, 2, 3, 4, 5],
        hours: [6, 7, 8, 9, 10],
        minutes: [15, 45],
      },
    ],
    [{}],
  ])('the timing %j is taken and answered as it is', async (timing) => {
    const { api } = await start();
    const settings = { title: 'T', enabled: 1, category: 'general', plugin: 'shellplug', target: 'allgrp' };
    const { id } = await api.call('create_event', { ...settings, timing });
    const { event } = await api.call('get_event', { id });
    expect(Object(event).timing).toEqual(timing);
  });
});

describe('get_job_status', () => {
  const cpu = { min: 19, max: 19, total: 19, count: 1, current: 19 };
  const mem = { min: 214564864, max: 214564864, total: 214564864, count: 1, current: 214564864 };
  /** What the event of the example gives to its job. */
  const settings = {
    params: { db_host: 'idb01.mycompany.com', verbose: 1, cust: 'Marketing' },
    timeout: 3600,
    catch_up: 1,
    plugin: 'test',
    category: '43f8c57e',
    retries: 0,
    detached: 0,
    notify_success: 'jhuckaby@test.com',
    notify_fail: 'jhuckaby@test.com',
    web_hook: 'http://myserver.com/notify-chronos.php',
    notes: 'Joe testing.',
    multiplex: 0,
    memory_limit: 0,
    memory_sustain: 0,
    cpu_limit: 0,
    cpu_sustain: 0,
    log_max_size: 0,
    retry_delay: 30,
    timezone: 'America/New_York',
  };
  /** What the launch adds. */
  const launched = {
    source: 'API Key (admin)',
    hostname: 'db1.int.myserver.com',
    command: 'bin/test-plugin.js',
    event: '3c182051',
    now: 1451341765,
    event_title: 'Test Event 2',
    plugin_title: 'Test Plugin',
    category_title: 'Test Cat',
    nice_target: 'db1.int.myserver.com',
  };
  const perf = 'scale=1&total=90.319&db_query=3.065&db_connect=5.096';
  const running = { log_file: '/var/logs/jobs/jiiqjexr701.log', pid: 11743, progress: 0.5, cpu, mem };
  const result: Omit<JobResult, 'job'> = {
    attempt: 1,
    node: 'n3',
    hostname: 'db1.int.myserver.com',
    time_start: 1451341765.987,
    time_end: 1451341856.61,
    pid: 11743,
    outcome: { code: 0, description: 'Success!' },
    log_file_size: 25110,
    cpu,
    mem,
    reported: { progress: 1, perf },
  };

  async function launchExample() {
    const { api, office } = await start();
    await api.call('update_event', { id: '3c182051', ...settings, target: 'db1.int.myserver.com' });
    const { ids } = await api.call('run_event', { id: '3c182051', now: 1451341765 });
    const id = String(Array.isArray(ids) ? ids[0] : '');
    const launchedJob = office.state.jobs.get(id);
    if (launchedJob === undefined) throw new Error('No job');
    const job = { ...launchedJob, state: 'running' as const, fields: { ...launchedJob.fields, ...running } };
    office.apply([{ type: 'job', job }]);
    return { api, office, job, id };
  }

  test('a running job has every property of the example that is not about its end', async () => {
    const { api, id } = await launchExample();
    const { job } = await api.call('get_job_status', { id });
    expect(job).toMatchObject({
      ...settings,
      ...launched,
      ...running,
      id,
      elapsed: expect.any(Number),
      time_start: expect.any(Number),
    });
    for (const key of ['complete', 'code', 'description', 'time_end']) expect(job).not.toHaveProperty(key);
    expect(await api.call('get_active_jobs')).toMatchObject({ jobs: { [id]: { ...launched, id } } });
    expect(await api.call('get_event', { id: '3c182051' })).toMatchObject({ jobs: [{ ...launched, id }] });
  });

  test('a completed job has every property of the example', async () => {
    const { api, office, job, id } = await launchExample();
    const context = { nowMs: 1451341856610, day: '2015-12-28', expireDays: 180, rowMax: 100 };
    const end = planEnd(job, { how: 'result', result: { ...result, job: id } }, context);
    if (end.kind !== 'end') throw new Error('the job goes on');
    office.apply(end.changes);
    for (const change of end.changes) if (change.type === 'finish') office.completed.set(id, change.record);
    expect(await api.call('get_job_status', { id })).toMatchObject({
      code: 0,
      job: {
        ...settings,
        ...launched,
        ...running,
        id,
        time_start: 1451341765.987,
        progress: 1,
        complete: 1,
        code: 0,
        description: 'Success!',
        perf,
        log_file_size: 25110,
        time_end: 1451341856.61,
        elapsed: 90.623,
      },
    });
  });
});
