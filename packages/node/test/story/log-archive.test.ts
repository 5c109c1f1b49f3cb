import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  type LogLine,
  type NodeProcess,
  type PrimaryProcess,
  startTestS3,
  TestCluster,
  type TestS3,
} from '@carillon/testkit';

/*
 * The log of a job goes from the process that ran it into the archive that is configured, and comes back through the
 * primary: real nodes, in a directory that two of them share, and in S3 from an all-in-one node with its worker process.
 */

const joined = (line: LogLine) => line.message === 'A worker joined';

let cluster: TestCluster;
let s3: TestS3;

beforeAll(async () => {
  cluster = await TestCluster.start();
  s3 = await startTestS3();
}, 60_000);
afterAll(async () => {
  await cluster?.close();
  await s3?.stop();
}, 60_000);

/** Runs a job on the cluster of this primary, and answers its id. */
async function runJob(primary: PrimaryProcess): Promise<string> {
  await primary.waitForLine(joined);
  const client = cluster.client(primary);
  const { id } = await client.createEvent({
    title: 'Speaks',
    enabled: 1,
    category: 'general',
    plugin: 'shellplug',
    target: 'allgrp',
    params: { script: '#!/bin/sh\necho a line of the log\n' },
  });
  const job = (await client.runEvent({ id })).ids[0] ?? '';
  expect(await client.waitForJob(job)).toMatchObject({ code: 0 });
  expect(await client.jobLog(job)).toContain('a line of the log\n');
  return job;
}

test('a directory that primary and worker share', async () => {
  const shared = join(cluster.directory, 'shared');
  const environment = { CARILLON_LOG_ARCHIVE: `dir:${shared}`, CARILLON_REDIS_PREFIX: 'shared' };
  const primary = await cluster.primary('p1', environment);
  const worker: NodeProcess = cluster.worker('w1', environment);
  primary.start();
  worker.start();
  const job = await runJob(primary);
  const files = await readdir(shared, { recursive: true });
  expect(files.filter((file) => file.endsWith(`/${job}.gz`))).toHaveLength(1);
  expect(files.filter((file) => file.endsWith(`/${job}`))).toHaveLength(1);
  expect(await worker.stop()).toBe(0);
  expect(await primary.stop()).toBe(0);
}, 30_000);

test('S3, from the worker process of an all-in-one node', async () => {
  const primary = await cluster.primary('all', {
    CARILLON_ROLES: 'primary,worker',
    CARILLON_LOG_ARCHIVE: `s3://logs/jobs?endpoint=${s3.endpoint}`,
    CARILLON_REDIS_PREFIX: 'alone',
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
  });
  primary.start();
  const job = await runJob(primary);
  const path = `/logs/jobs/logs/${job}.gz`;
  const asked = s3.requests.map((request) => request.replace(/\?.*/, ''));
  expect(asked.filter((request) => request === `PUT ${path}`)).toHaveLength(1);
  expect(asked).toContain(`GET ${path}`);
  expect(await primary.stop()).toBe(0);
}, 30_000);

test('a directory that cannot be used keeps the node from starting, with the reason', async () => {
  const primary = await cluster.primary('bad', {
    CARILLON_LOG_ARCHIVE: 'dir:/dev/null/logs',
    CARILLON_REDIS_PREFIX: 'bad',
  });
  primary.start();
  await primary.waitForLine((line) =>
    line.message.includes('The log archive /dev/null/logs cannot be written to: '),
  );
}, 30_000);
