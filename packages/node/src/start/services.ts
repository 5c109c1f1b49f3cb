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

/** The log of a node or of its worker process. */
export function createLog(log: Config['log'], hostname: string): Logger {
  return new WinstonLogger({ level: log.level, style: log.format, fields: { node: hostname } });
}
