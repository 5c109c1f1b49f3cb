import {
  BullmqJobQueue,
  closeRedis,
  createRedis,
  keySpace,
  RedisLease,
  RedisLogArchive,
  ReplicaConfirmation,
} from '@carillon/adapters';
import type { Logger } from '@carillon/core';
import { clock, random } from './services.js';

/** Which Redis, and how; plain data, for a worker process as well. */
export interface RedisSettings {
  url: string;
  prefix: string;
  /** PEM text of the authorities that are trusted instead of the system's. */
  authorities?: string;
  /** So many replicas must have a write before it counts. */
  replicas: number;
}

/** Everything a process needs of Redis, on as few connections as its promises allow. */
export function openRedis({ url, prefix, authorities, replicas }: RedisSettings, log: Logger) {
  const keys = keySpace(prefix);
  const config = { url, log, root: keys.root, authorities };
  const commands = createRedis(config, 'commands');
  // A pattern for the queues' own blocking connections; it is never used itself.
  const consumers = createRedis(config, 'blocking');
  const subscriber = createRedis(config, 'subscribe');
  const confirmation = new ReplicaConfirmation(commands, keys, replicas);
  const queue = new BullmqJobQueue({ commands, consumers, prefix: keys.root, clock, log, confirmation });
  return {
    /** For stores and claims. */
    truth: { redis: commands, keys, replicas },
    commands,
    queue,
    lease: new RedisLease({ redis: commands, subscriber, keys, log }),
    archive: new RedisLogArchive(commands, keys.root, random, confirmation),
    /** Closes the queues, then the connections. */
    close: async () => {
      await queue.close();
      await Promise.all([commands, consumers, subscriber].map((redis) => closeRedis(redis)));
    },
  };
}
