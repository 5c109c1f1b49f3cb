import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { LocalCluster } from '../local-cluster.mjs';
import { checkScaling } from '../scaling-check.mjs';

let directory;
let cluster;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'carillon-local-cluster-'));
  cluster = new LocalCluster({
    directory,
    drainGraceSec: 20,
    environment: { CARILLON_LEASE_TTL_MS: '1000' },
  });
});
afterEach(async () => {
  await cluster.stop();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

test('behind the load balancer no job is lost while workers come and go and the primary is killed', async () => {
  await cluster.start();
  const course = { steps: [1, 3, 1], stepMs: 1_500, killAt: 1 };
  const { problems, launched, byWorker } = await checkScaling(cluster, undefined, course);
  expect(problems).toEqual([]);
  expect(launched).toBeGreaterThan(10);
  expect(Object.keys(byWorker).length).toBeGreaterThan(1);
  expect(cluster.workers).toBe(1);
}, 180_000);
