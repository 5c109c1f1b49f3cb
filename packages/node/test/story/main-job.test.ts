import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CarillonClient } from '@carillon/client';
import {
  JobRecords,
  type LogLine,
  type NodeProcess,
  type PrimaryProcess,
  TestCluster,
} from '@carillon/testkit';

/*
 * The main job end to end on real processes: two primary-eligible nodes, three workers with host names of their
 * own, one Redis. The tests of this file are one story and run in order.
 */

const serves = (line: LogLine) => line.message === 'The API is served by this node';
const joined = (name: string) => (line: LogLine) =>
  line.message === 'A worker joined' && line['hostname'] === name;
const minuteMs = 60_000;

let cluster: TestCluster;
let first: PrimaryProcess;
let second: PrimaryProcess;
let workers: NodeProcess[];
let client: CarillonClient;
let minutes: JobRecords;
let burnerFlag: string;
let burnerJob: string;
let minuteEvent: string;

const event = (title: string, script: string, more: Record<string, unknown> = {}) => ({
  title,
  enabled: 1,
  category: 'general',
  plugin: 'shellplug',
  target: 'allgrp',
  params: { script: `#!/bin/sh\n${script}\n` },
  ...more,
});

beforeAll(async () => {
  cluster = await TestCluster.start();
  first = await cluster.primary('p1');
  second = await cluster.primary('p2');
  workers = ['w1', 'w2', 'w3'].map((name) => cluster.worker(name));
  first.start();
  await first.waitForLine(serves);
  second.start();
  for (const worker of workers) worker.start();
  await second.waitForLine((line) => line.message === 'The node runs');
  for (const worker of workers) await first.waitForLine(joined(worker.name));
  client = cluster.client(second, first);
  minutes = new JobRecords(cluster.directory, 'minutes');
  burnerFlag = join(cluster.directory, 'end-of-burning');
}, 60_000);

afterAll(async () => {
  minutes?.close();
  await cluster?.close();
}, 60_000);

describe('a cluster of two primary-eligible nodes and three workers', () => {
  test('a node that is not the primary answers 302 to the one that is', async () => {
    const response = await fetch(`${second.url}/api/app/get_schedule/v1?limit=1`, {
      redirect: 'manual',
      headers: { 'X-API-Key': cluster.apiKey },
    });
    expect(response.status).toBe(302);
    expect(response.headers.get('location')).toBe(`${first.url}/api/app/get_schedule/v1?limit=1`);
    expect(await response.json()).toMatchObject({ code: 'master' });
    expect((await fetch(`${first.url}/health/primary`)).status).toBe(200);
    expect((await fetch(`${second.url}/health/primary`)).status).toBe(503);
    expect((await fetch(`${second.url}/health/ready`)).status).toBe(200);
  });

  test('an event created through the other node is in the schedule', async () => {
    const script = `echo "$JOB_NOW $JOB_ID $(hostname)" >> ${minutes.path}`;
    minuteEvent = (await client.createEvent(event('Every minute', script, { timing: {} }))).id;
    const { event: stored } = await cluster.client(first).getEvent({ id: minuteEvent });
    expect(stored).toMatchObject({ title: 'Every minute', timing: {}, enabled: 1 });
  });

  test('a multiplexed, staggered event runs on all three workers, one second apart', async () => {
    const runs = new JobRecords(cluster.directory, 'staggered');
    const script = `echo "$JOB_HOSTNAME $(date +%s.%N)" >> ${runs.path}`;
    const { id } = await client.createEvent(event('Everywhere', script, { multiplex: 1, stagger: 1 }));
    const askedSec = Date.now() / 1000;
    const { ids } = await client.runEvent({ id });
    expect(ids).toHaveLength(3);
    const records = await runs.waitFor((found) => found.length === 3);
    expect(records.map(([host]) => host)).toEqual(['w1', 'w2', 'w3']);
    // None before its turn; how much later is up to the machine.
    for (const [turn, [, at]] of records.entries())
      expect(Number(at)).toBeGreaterThanOrEqual(askedSec + turn);
    for (const job of ids) expect(await client.waitForJob(job)).toMatchObject({ complete: 1, code: 0 });
    expect((await client.getEventHistory({ id })).rows.map((row) => row.id).sort()).toEqual([...ids].sort());
  }, 30_000);

  test('live CPU and memory of a running job show in get_job_status', async () => {
    const script = `while [ ! -e ${burnerFlag} ]; do :; done; echo burnt out`;
    const { id } = await client.createEvent(event('Burner', script, { target: 'w2' }));
    burnerJob = (await client.runEvent({ id })).ids[0] ?? '';
    const sampled = new AbortController();
    const watch = client.watchJob(
      burnerJob,
      {
        onJob: (job) => {
          if ((job.cpu?.count ?? 0) >= 3) sampled.abort();
        },
      },
      { signal: sampled.signal },
    );
    await watch.catch((error: unknown) => {
      if (!sampled.signal.aborted) throw error;
    });
    const { job } = await client.getJobStatus({ id: burnerJob });
    expect(job).toMatchObject({ state: 'running', hostname: 'w2' });
    expect(job.cpu?.max).toBeGreaterThan(20);
    expect(job.mem?.current).toBeGreaterThan(100_000);
    expect(job.pid).toBeGreaterThan(1);
  }, 30_000);

  test(
    'the minute event fires at the boundary, not before it',
    async () => {
      const [record] = await minutes.waitFor((found) => found.length >= 1);
      const [minute = '', id = ''] = record ?? [];
      expect(Number(minute) % 60).toBe(0);
      const job = await client.waitForJob(id);
      expect(job.time_start).toBeGreaterThanOrEqual(Number(minute));
      expect((job.time_start ?? 0) - Number(minute)).toBeLessThan(60);
      expect(job).not.toHaveProperty('source');
    },
    2 * minuteMs,
  );

  test('the primary is killed: running jobs go on, the other node serves', async () => {
    await first.kill9();
    await second.waitForLine(serves);
    for (const worker of workers) await second.waitForLine(joined(worker.name));
    const { job } = await client.getJobStatus({ id: burnerJob });
    expect(job).toMatchObject({ state: 'running', hostname: 'w2' });
    writeFileSync(burnerFlag, '');
    expect(await client.waitForJob(burnerJob)).toMatchObject({ complete: 1, code: 0 });
    expect(await client.jobLog(burnerJob)).toContain('burnt out');
  }, 60_000);

  test(
    'the next minute fires once, and no minute is missing',
    async () => {
      const before = minutes.read().length;
      const records = await minutes.waitFor((found) => found.length > before);
      const fired = records.map(([minute]) => Number(minute));
      expect(new Set(fired).size).toBe(fired.length);
      for (const [index, minute] of fired.entries()) expect(minute).toBe((fired[0] ?? 0) + 60 * index);
    },
    2 * minuteMs,
  );

  test('the history is complete: every run once, none lost, all successful', async () => {
    for (const [, id = ''] of minutes.read()) await client.waitForJob(id);
    const { rows, list } = await client.getEventHistory({ id: minuteEvent });
    const ran = minutes.read().map(([, id]) => id);
    expect(rows.map((row) => row.id).reverse()).toEqual(ran);
    expect(list.length).toBe(ran.length);
    expect(rows.every((row) => row.code === 0)).toBe(true);
    expect(Object.keys((await client.getActiveJobs()).jobs)).toEqual([]);
  }, 30_000);

  test('a node told to forward passes a POST on to the primary', async () => {
    const forwarder = await cluster.primary('p3', { CARILLON_NON_PRIMARY: 'forward' });
    forwarder.start();
    await forwarder.waitForLine((line) => line.message === 'The node runs');
    const response = await fetch(`${forwarder.url}/api/app/create_event/v1`, {
      method: 'POST',
      redirect: 'error',
      headers: { 'Content-Type': 'application/json', 'X-API-Key': cluster.apiKey },
      body: JSON.stringify(event('Forwarded', 'true')),
    });
    const answer = (await response.json()) as { code: number; id: string };
    expect(answer.code).toBe(0);
    expect((await client.getEvent({ id: answer.id })).event.title).toBe('Forwarded');

    // A clean stop hands over at once: the lease is given up, not left to run out.
    const served = forwarder.waitForNextLine(serves);
    expect(await second.stop()).toBe(0);
    await served;
    expect((await cluster.client(forwarder).getSchedule()).list.length).toBe(4);
    expect(await forwarder.stop()).toBe(0);
  }, 60_000);

  test('workers without a primary keep running and stop cleanly', async () => {
    expect(await Promise.all(workers.map((worker) => worker.stop()))).toEqual([0, 0, 0]);
  }, 60_000);
});
