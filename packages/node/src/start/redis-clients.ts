import {
  BullmqJobQueue,
  closeRedis,
  createRedis,
  keySpace,
  RedisLease,
  RedisLogArchive,
} from '@carillon/adapters';
import type { Logger } from '@carillon/core';
import { clock, random } from './services.js';

/** Everything a process needs of Redis, on as few connections as its promises allow. */
export function openRedis({ url, prefix }: { url: string; prefix: string }, log: Logger) {
  const config = { url, log };
  const keys = keySpace(prefix);
  const commands = createRedis(config, 'commands');
  // A pattern for the queues' own blocking connections; it is never used itself.
  const consumers = createRedis(config, 'blocking');
  const subscriber = createRedis(config, 'subscribe');
  const queue = new BullmqJobQueue({ commands, consumers, prefix: keys.root, clock, log });
  return {
    keys,
    commands,
    queue,
    lease: new RedisLease({ redis: commands, subscriber, keys, log }),
    archive: new RedisLogArchive(commands, keys.root, random),
    /** Closes the queues, then the connections. */
    close: async () => {
      await queue.close();
      await Promise.all([commands, consumers, subscriber].map((redis) => closeRedis(redis)));
    },
  };
}
