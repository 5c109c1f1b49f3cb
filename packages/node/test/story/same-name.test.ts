import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasJoined } from '@carillon/testkit';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Stage } from './stage.js';

/*
 * Nodes that share what each should have of its own, on real processes.
 */

let stage: Stage;

beforeEach(async () => {
  stage = await Stage.set({ primaries: 1, workers: 1 });
}, 60_000);

afterEach(async () => {
  await stage?.clear();
}, 60_000);

const startsOf = (): string[] => stage.lines.flatMap(({ at, job }) => (at === 'start' ? [job] : []));

test('two nodes with the same data directory: the second one refuses to start and says why, the first goes on', async () => {
  const { cluster } = stage.faulty;
  const [job = ''] = await stage.run(await stage.held('go'));
  await stage.waitForLines('start', 1);
  for (const shared of ['w1', 'p1']) {
    const directory = cluster.dataDirectory(shared);
    const second = cluster.worker(`second-${shared}`, { CARILLON_DATA_DIR: directory });
    second.start();
    expect(await second.exited()).toBe(1);
    expect(second.output).toContain(`The data directory ${directory} is in use by another node`);
    expect(second.output).toContain('CARILLON_DATA_DIR');
  }
  stage.release('go');
  expect(await stage.codesOf([job, ...(await stage.run(await stage.quick()))])).toEqual([0, 0]);
}, 60_000);

test('two workers with the same name are two workers: each job runs once, and only those of a lost one are lost', async () => {
  const { faulty, client } = stage;
  const twin = faulty.cluster.worker('w1-twin', { CARILLON_HOSTNAME: 'w1' });
  const joined = faulty.leader.process.waitForNextLine(hasJoined('w1'));
  twin.start();
  await joined;
  const jobs = await stage.run(await stage.held('go', { target: 'allgrp', algo: 'round_robin' }), 10);
  await stage.waitForLines('start', 10);
  const [first] = faulty.workers;
  await first?.process.kill9();
  const lost = 5;
  stage.release('go');
  const codes = await stage.codesOf(jobs);
  expect(codes.filter((code) => code === 1)).toHaveLength(lost);
  expect(codes.filter((code) => code === 0)).toHaveLength(jobs.length - lost);
  expect(startsOf().sort()).toEqual([...jobs].sort());
  expect((await client.getActiveJobs()).jobs).toEqual({});
}, 90_000);

test('two workers with copies of one data directory are told of, and no job is started twice or without an end', async () => {
  const { faulty, client } = stage;
  const { cluster } = faulty;
  const directory = cluster.dataDirectory('copy');
  mkdirSync(directory);
  copyFileSync(join(cluster.dataDirectory('w1'), 'node-id'), join(directory, 'node-id'));
  const warned = faulty.leader.process.waitForLine(({ message }) =>
    message.startsWith('A worker has the node id of'),
  );
  cluster.worker('copy').start();
  expect(await warned).toMatchObject({ level: 'warn' });
  const jobs = await stage.run(await stage.quick(), 20);
  await stage.codesOf(jobs);
  const starts = startsOf();
  expect(new Set(starts).size).toBe(starts.length);
  expect((await client.getActiveJobs()).jobs).toEqual({});
}, 60_000);
