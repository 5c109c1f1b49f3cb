import {
  createProcessSampler,
  DirectoryInUseError,
  DirectoryLock,
  FileDetachedLauncher,
  FileJobLog,
  FileResultSpool,
  NodeProcessLauncher,
  RedisRunClaims,
  WsWorkerChannel,
} from '@carillon/adapters';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@carillon/core';
import { builtinPrograms } from '@carillon/plugins';
import { createWorker } from '@carillon/worker';
import { openRedis } from '../start/redis-clients.js';
import { clock, random } from '../start/services.js';
import { version } from '../start/version.js';
import type { WorkerSettings } from './worker-settings.js';

/** The worker role of a node. */
export interface WorkerRole {
  /** No new jobs; running ones get `graceMs`, then everything is closed. A second call only shortens the grace. */
  drain(graceMs: number): Promise<void>;
}

const sampleIntervalMs = 1_000;
/** How long a stopping worker tries to hand in its results; what is left stays on its disk. */
const reportGraceMs = 10_000;

/** Runs jobs in this process's name. Rejects when its directories cannot be used. */
export async function startWorker(settings: WorkerSettings, log: Logger): Promise<WorkerRole> {
  const place = await ownPlace(settings, log);
  const redis = openRedis(settings.redis, log);
  const worker = createWorker(
    {
      clock,
      random,
      logger: log,
      launcher: new NodeProcessLauncher({ scriptDirectory: join(place.directory, 'scripts') }),
      detached: new FileDetachedLauncher(join(place.directory, 'detached')),
      sampler: createProcessSampler(),
      logs: new FileJobLog(join(place.directory, 'logs')),
      archive: redis.archive,
      spool: new FileResultSpool(join(place.directory, 'results'), log),
      tickets: redis.queue,
      results: redis.queue,
      claims: new RedisRunClaims({ redis: redis.commands, keys: redis.keys }),
      lease: redis.lease,
      channel: new WsWorkerChannel({ secret: settings.clusterSecret, clock, random, log }),
    },
    {
      node: { ...settings.node, id: place.id, ip: firstAddress(), version },
      process: { pid: process.pid, uid: process.getuid?.() ?? -1 },
      // Cronicle's order: the node's own environment wins over `job_env`.
      environment: { ...settings.jobEnvironment, ...process.env },
      hiddenVariables: ['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE'],
      workDirectory: process.cwd(),
      builtins: new Map(
        Object.entries(builtinPrograms).map(([name, file]) => [
          name,
          { file: process.execPath, args: [file] },
        ]),
      ),
      killTimeoutMs: settings.killTimeoutMs,
      sampleIntervalMs,
      expireDays: settings.expireDays,
      zone: 'system',
      reportGraceMs,
    },
  );
  // Results of an earlier boot go first, which takes as long as Redis is away: the node need not wait for it.
  worker
    .start()
    .catch((error: unknown) => log.log('error', 'The worker did not start', { error: String(error) }));
  return {
    drain: async (graceMs) => {
      await worker.drain(graceMs);
      await redis.close();
      await place.release();
    },
  };
}

/**
 * The worker's directory and id. While an earlier worker of this node is still finishing its jobs, after its node
 * was killed, the new one works beside it under an id of its own.
 */
async function ownPlace(settings: WorkerSettings, log: Logger) {
  const directory = join(settings.dataDir, 'worker');
  try {
    const lock = await DirectoryLock.acquire(directory, clock, random);
    return { directory, id: settings.node.id, release: () => lock.release() };
  } catch (error) {
    if (!(error instanceof DirectoryInUseError)) throw error;
    const id = `${settings.node.id}${random.hex(3)}`;
    log.log('warn', 'An earlier worker of this node is still finishing its jobs', { worker: id });
    const spare = await DirectoryLock.acquire(join(settings.dataDir, `worker-${id}`), clock, random);
    return { directory: spare.directory, id, release: () => spare.release() };
  }
}

/** An address for people to tell workers apart. */
function firstAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { internal, address } of addresses ?? []) if (!internal) return address;
  }
  return '127.0.0.1';
}
