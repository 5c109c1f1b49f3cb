import { MemoryLogger } from '../../src/logger/index.js';
import { RedisLease } from '../../src/lease/index.js';
import type { TestRedis } from '../redis/test-redis.js';

/** A RedisLease for the conformance suite, on keys and connections of its own. */
export function openRedisLease(redis: TestRedis) {
  const keys = redis.freshKeys();
  const clients = [redis.connect(), redis.connect('subscribe')] as const;
  const [commands, subscriber] = clients;
  const log = new MemoryLogger();
  return {
    lease: () => new RedisLease({ redis: commands, subscriber, keys, log }),
    expire: async () => {
      await commands.del(keys.lease);
    },
    listening: async () => {
      // Answered after the subscriptions sent before it.
      await subscriber.ping();
    },
    close: async () => {
      await Promise.all(clients.map((client) => redis.disconnect(client)));
    },
  };
}
