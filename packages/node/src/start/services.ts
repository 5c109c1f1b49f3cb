import {
  ScryptPasswordHasher,
  SystemClock,
  SystemDigest,
  SystemRandom,
  WinstonLogger,
} from '@carillon/adapters';
import type { Logger } from '@carillon/core';
import type { Config } from '../config/index.js';

/** Time, randomness and digests of this process. */
export const clock = new SystemClock();
export const random = new SystemRandom();
export const digest = new SystemDigest();
export const passwords = new ScryptPasswordHasher();

/** The log of a node or of its worker process: `node` is its host name, `nodeId` the id it is known by. */
export function createLog(log: Config['log'], fields: { node: string; nodeId?: string }): Logger {
  return new WinstonLogger({ level: log.level, style: log.format, fields });
}
