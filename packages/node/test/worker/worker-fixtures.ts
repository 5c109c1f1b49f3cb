import type { WorkerSettings } from '../../src/worker/worker-settings.js';

/** Settings of a worker that is never really started. */
export const settings: WorkerSettings = {
  node: { id: 'n1', hostname: 'n1', groups: [], master: 1, slots: 0 },
  redis: { url: 'unix:/nowhere', prefix: 'test', replicas: 0 },
  clusterSecret: 'secret',
  dataDir: '/nowhere',
  logArchive: { kind: 'redis' },
  killTimeoutMs: 10,
  drainGraceMs: 10,
  expireDays: 1,
  limits: {
    memoryBytes: 0,
    memorySustainSec: 0,
    cpuPercent: 0,
    cpuSustainSec: 0,
    cpuGraceSec: 0,
    logBytes: 0,
  },
  jobEnvironment: {},
  log: { level: 'error', format: 'json' },
};
