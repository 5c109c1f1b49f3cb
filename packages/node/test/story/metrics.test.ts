import { readFileSync } from 'node:fs';
import { hasJoined, type LogLine, type PrimaryProcess, TestCluster } from '@carillon/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseExposition } from '../metrics/parse-exposition.js';

/*
 * What an operator sees of a real cluster: its metrics, and the logs of a failing job, of a lost worker and of a failover.
 */

let cluster: TestCluster;
let first: PrimaryProcess;
let second: PrimaryProcess;

const settings = { CARILLON_LEASE_TTL_MS: '1000' };
const root = new URL('../../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

const scrape = async (node: PrimaryProcess) =>
  parseExposition(await (await fetch(`${node.url}/metrics`, { signal: AbortSignal.timeout(5_000) })).text());

beforeAll(async () => {
  cluster = await TestCluster.start();
  first = await cluster.primary('p1', settings);
  first.start();
  await first.waitForLine(({ message }) => message === 'The API is served by this node');
  second = await cluster.primary('p2', settings);
  second.start();
  await second.waitForLine(({ message }) => message === 'The node runs');
  const worker = cluster.worker('w1', settings);
  worker.start();
  await first.waitForLine(hasJoined('w1'));
}, 60_000);

afterAll(() => cluster.close(), 30_000);

const create = (script: string, title: string) =>
  cluster.client(first, second).createEvent({
    title,
    enabled: 1,
    category: 'general',
    plugin: 'shellplug',
    target: 'allgrp',
    params: { script: `#!/bin/sh\n${script}\n` },
  });

/** The fields that docs/operations.md promises on every line, and then those of this one. */
const expectLine = (line: LogLine | undefined, fields: Record<string, unknown>): void => {
  expect(line).toMatchObject({
    time: expect.stringMatching(/^\d{4}-.*Z$/),
    nodeId: expect.stringMatching(/^n\w+$/),
  });
  expect(line).toMatchObject(fields);
};

test('metrics of the primary and of a standby are well formed, and count what happened', async () => {
  const client = cluster.client(first, second);
  for (const [script, title] of [
    ['echo good', 'Good'],
    ['echo bad; exit 3', 'Bad'],
  ] as const) {
    const { id } = await create(script, title);
    const { ids } = await client.runEvent({ id });
    for (const job of ids) await client.waitForJob(job);
  }
  const metrics = await scrape(first);
  const value = (name: string, labels = '') => metrics.get(name)?.samples.get(`${name}${labels}`);
  expect(value('carillon_is_primary')).toBe(1);
  expect(value('carillon_launches_total', '{cause="api_key"}')).toBe(2);
  expect(value('carillon_job_starts_total')).toBe(2);
  expect(value('carillon_jobs_ended_total', '{ending="exit",outcome="success"}')).toBe(1);
  expect(value('carillon_jobs_ended_total', '{ending="exit",outcome="failure"}')).toBe(1);
  expect(value('carillon_workers_available')).toBe(1);
  expect([...(metrics.get('carillon_worker_up')?.samples ?? [])]).toEqual([
    [expect.stringMatching(/^carillon_worker_up\{worker="n\w+",hostname="w1"\}$/), 1],
  ]);
  expect(
    metrics.get('carillon_redis_reply_seconds')?.samples.get('carillon_redis_reply_seconds_count'),
  ).toBeGreaterThan(10);
  expect(
    metrics.get('carillon_commit_duration_seconds')?.samples.get('carillon_commit_duration_seconds_count'),
  ).toBeGreaterThan(3);
  const standby = await scrape(second);
  expect(standby.get('carillon_is_primary')?.samples.get('carillon_is_primary')).toBe(0);
  expect(standby.has('carillon_term')).toBe(false);
  expect(standby.get('carillon_terms_total')?.samples.get('carillon_terms_total')).toBe(0);
});

describe('what is shipped uses metrics that exist', () => {
  /** Names of samples as queries write them; a queue has no series while no job waits. */
  const exposed = async (): Promise<Set<string>> => {
    const names = ['carillon_queue_length'];
    for (const [name, { type }] of await scrape(first)) {
      names.push(name);
      if (type === 'histogram') names.push(`${name}_bucket`, `${name}_sum`, `${name}_count`);
    }
    return new Set(names);
  };
  const used = (text: string): string[] => [
    ...new Set(text.match(/\b(?:carillon|process|nodejs)_[a-z_]+\b/g) ?? []),
  ];

  test.each([
    ['docker/grafana/carillon.json', 20],
    ['docker/prometheus/rules.yml', 10],
  ])('%s', async (path, atLeast) => {
    const names = await exposed();
    const found = used(read(path));
    expect(found.length).toBeGreaterThanOrEqual(atLeast);
    expect(found.filter((name) => !names.has(name))).toEqual([]);
  });

  test('docs/operations.md lists all of them, and no others', async () => {
    const families = [...(await scrape(first)).keys(), 'carillon_queue_length'].sort();
    const rows = [...read('docs/operations.md').matchAll(/^\| `((?:carillon|process|nodejs)_[a-z_]+)`/gm)];
    expect(rows.map(([, name]) => name).sort()).toEqual(families);
  });
});

describe('logs', () => {
  test('a failing job: job, event and worker on the primary', async () => {
    const { id } = await create('exit 7', 'Seven');
    const { ids } = await cluster.client(first, second).runEvent({ id });
    const line = await first.waitForLine(
      ({ message, job }) => message === 'A job has failed' && job === ids[0],
    );
    expectLine(line, {
      level: 'info',
      node: 'p1',
      event: id,
      hostname: 'w1',
      worker: expect.stringMatching(/^n\w+$/),
      attempt: 1,
      code: 7,
      ending: 'exit',
    });
  });

  test('a failover and a lost worker', async () => {
    const worker = cluster.worker('w2', settings);
    worker.start();
    const joined = await first.waitForLine(hasJoined('w2'));
    expectLine(joined, { level: 'info', node: 'p1', hostname: 'w2', worker: expect.any(String) });
    const took = second.waitForNextLine(({ message }) => message === 'The API is served by this node');
    await first.kill9();
    expectLine(await took, { level: 'info', node: 'p2', term: expect.any(Number) });
    first.start();
    expectLine(await first.waitForNextLine(({ message }) => message === 'Another node is the primary'), {
      level: 'info',
      node: 'p1',
      primary: 'p2',
      primaryId: expect.any(String),
      url: second.url,
    });
    await second.waitForLine(hasJoined('w2'));
    await worker.kill9();
    const silent = await second.waitForLine(
      ({ message, hostname }) => message === 'A worker is silent' && hostname === 'w2',
    );
    expectLine(silent, { level: 'warn', node: 'p2', worker: joined['worker'] });
  }, 60_000);
});
