import { RedisLogArchive } from '@carillon/adapters';
import {
  claimsConformance,
  deliveryQueueConformance,
  jobQueueConformance,
  leaseConformance,
  logArchiveConformance,
  startPrivateCluster,
  startPrivateSentinel,
  storeConformance,
} from '@carillon/testkit';
import { afterAll, beforeAll } from '@jest/globals';
import { SystemClock } from '../../src/clock/index.js';
import { MemoryLogger } from '../../src/logger/index.js';
import { BullmqJobQueue } from '../../src/queue/index.js';
import { SystemRandom } from '../../src/random/index.js';
import { openRedisLease } from '../lease/lease-subject.js';
import { openRedisStores } from '../store/store-subjects.js';
import { TestRedis } from './test-redis.js';

/*
 * Everything that is kept in Redis, on a master watched by sentinels and on a Redis Cluster.
 */

// The conformance suites cut connections for longer than sentinels would wait.
const patientMs = 600_000;

const shapes = {
  sentinels: async () => {
    const sentinel = await startPrivateSentinel({ downAfterMs: patientMs });
    return TestRedis.of(sentinel, await sentinel.masterPort());
  },
  'a cluster': async () => {
    const cluster = await startPrivateCluster();
    return TestRedis.of(cluster, await cluster.ownerPort());
  },
};

const log = new MemoryLogger();
const clock = new SystemClock();
const redelivery = { lockMs: 600, checkMs: 100, firstRetryMs: 10, longestRetryMs: 40 };

const open: Partial<Record<string, TestRedis>> = {};
const redisOf = (shape: string): TestRedis => {
  const redis = open[shape];
  if (redis === undefined) throw new Error(`${shape}: not started`);
  return redis;
};

beforeAll(async () => {
  for (const [shape, start] of Object.entries(shapes)) open[shape] = await start();
}, 30_000);
afterAll(async () => {
  for (const redis of Object.values(open)) await redis?.stop();
}, 30_000);

for (const shape of Object.keys(shapes)) {
  storeConformance(`RedisStore, ${shape}`, () => openRedisStores(redisOf(shape)));
  claimsConformance(`RedisRunClaims, ${shape}`, () => openRedisStores(redisOf(shape)));
  leaseConformance(`RedisLease, ${shape}`, async () => openRedisLease(redisOf(shape)));
  jobQueueConformance(`BullmqJobQueue, ${shape}`, async () => openQueue(redisOf(shape)));
  deliveryQueueConformance(`BullmqJobQueue, ${shape}`, async () => openQueue(redisOf(shape)));
  logArchiveConformance(`RedisLogArchive, ${shape}`, async () => {
    const redis = redisOf(shape);
    const client = redis.connect();
    const archive = new RedisLogArchive(client, redis.freshKeys().root, new SystemRandom());
    return { archive, close: () => redis.disconnect(client) };
  });
}

function openQueue(redis: TestRedis) {
  const prefix = redis.freshKeys().root;
  const [commands, consumers] = [redis.connect(), redis.connect('blocking')];
  const queue = new BullmqJobQueue({ commands, consumers, prefix, clock, log, redelivery });
  const close = async (): Promise<void> => {
    await queue.close();
    await Promise.all([redis.disconnect(commands), redis.disconnect(consumers)]);
  };
  return { queue, close };
}
