import type { DefaultLimits } from '@carillon/core';
import type { Config } from '../config/index.js';
import type { RedisSettings } from '../start/redis-clients.js';

/** Everything a worker process needs; travels as JSON to the child. */
export interface WorkerSettings {
  node: { id: string; hostname: string; groups: string[]; master: 0 | 1; slots: number };
  redis: RedisSettings;
  clusterSecret: string;
  /** Authorities of the nodes' certificates, in PEM; absent: the system's. */
  ca?: string;
  dataDir: string;
  logArchive: Config['logArchive'];
  killTimeoutMs: number;
  drainGraceMs: number;
  expireDays: number;
  limits: DefaultLimits;
  jobEnvironment: Record<string, string>;
  log: Config['log'];
}
