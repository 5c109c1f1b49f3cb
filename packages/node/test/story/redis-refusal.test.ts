import { join } from 'node:path';
import { type NodeProcess, TestCluster } from '@carillon/testkit';
import { createRedis, MemoryLogger } from '@carillon/adapters';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

/*
 * What real nodes do at start about a real Redis that would lose jobs.
 */

let cluster: TestCluster;
let redis: ReturnType<typeof createRedis>;

beforeEach(async () => {
  cluster = await TestCluster.start();
  redis = createRedis({ url: await cluster.redis.holder(), log: new MemoryLogger() }, 'commands');
}, 30_000);

afterEach(async () => {
  redis?.disconnect();
  await cluster?.close();
}, 30_000);

const runs = ({ message }: { message: string }): boolean => message === 'The node runs';

/** What a node that does not start says at its end. */
async function lastWords(node: NodeProcess): Promise<string> {
  node.start();
  await node.whenEnded();
  return node.output;
}

test('a Redis that evicts keys is refused, with the remedy; told to, the node only reports it', async () => {
  await redis.config('SET', 'maxmemory', '1gb');
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const refusing = await cluster.primary('refusing');
  expect(await lastWords(refusing)).toMatch(
    /deletes jobs .*allkeys-lru.*set maxmemory-policy to noeviction.*CARILLON_REDIS_CHECK=warn/,
  );
  const told = await cluster.primary('told', { CARILLON_REDIS_CHECK: 'warn' });
  told.start();
  await told.waitForLine(({ level, message }) => level === 'warn' && message.includes('allkeys-lru'));
  await told.waitForLine(runs);
  // The remedy.
  await redis.config('SET', 'maxmemory-policy', 'noeviction');
  refusing.start();
  await refusing.waitForLine(runs);
}, 60_000);

test('a Redis that keeps nothing on disk is refused; one with snapshots is reported', async () => {
  await redis.config('SET', 'appendonly', 'no');
  const node = await cluster.primary('p1');
  expect(await lastWords(node)).toMatch(/keeps nothing on disk.*Set appendonly to yes/);
  await redis.config('SET', 'save', '3600 1');
  node.start();
  await node.waitForLine(({ level, message }) => level === 'warn' && message.includes('snapshots only'));
  await node.waitForLine(runs);
}, 60_000);

test('where settings cannot be asked for, the node says so and starts', async () => {
  await redis.acl('SETUSER', 'default', '-config');
  const node = await cluster.primary('p1');
  node.start();
  await node.waitForLine(
    ({ level, message }) => level === 'warn' && message.includes('could not be checked'),
  );
  await node.waitForLine(runs);
}, 60_000);

test('files of authorities that cannot be read are named', async () => {
  const file = join(cluster.directory, 'absent.pem');
  const node = await cluster.primary('p1', { CARILLON_REDIS_CA: file });
  expect(await lastWords(node)).toContain(`CARILLON_REDIS_CA: ${file} cannot be read`);
}, 60_000);
