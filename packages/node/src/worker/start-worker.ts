import {
  AllowListSanitizer,
  createProcessSampler,
  DirectoryInUseError,
  FileDetachedLauncher,
  FileJobLog,
  FileResultSpool,
  NodeProcessLauncher,
  openStarter,
  type ProgramStarter,
  RedisRunClaims,
  WsWorkerChannel,
} from '@carillon/adapters';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { Cancel, Logger } from '@carillon/core';
import { createWorker, type DrainRequest, type Worker } from '@carillon/worker';
import { type OpenLogArchive, openLogArchive } from '../start/log-archive.js';
import { programs } from '../start/programs.js';
import { openRedis } from '../start/redis-clients.js';
import { clock, random } from '../start/services.js';
import { version } from '../start/version.js';
import { baseEnvironment } from './base-environment.js';
import { abandonedPlaces, homePlace, sparePlace, waitForHome, type WorkerPlace } from './worker-place.js';
import type { WorkerSettings } from './worker-settings.js';

/** The worker role of a node. */
export interface WorkerRole {
  /** No new jobs; running ones get `graceMs`, then everything is closed. A second call only shortens the grace. */
  drain(graceMs: number): Promise<void>;
}

const sampleIntervalMs = 1_000;
/** How long a stopping worker tries to hand in its results; what is left stays on its disk. */
const reportGraceMs = 10_000;

/** What all workers of a process share. */
interface Connections {
  redis: ReturnType<typeof openRedis>;
  logs: OpenLogArchive;
  starter: ProgramStarter;
  onDrainRequested: (request: DrainRequest) => void;
}

/**
 * Runs jobs in this process's name. Rejects when its directories cannot be used. While an earlier worker of this node
 * is still finishing its jobs, after its node was killed, the new one works beside it under an id of its own, and
 * moves to the usual place, with the detached runs left there, once that is free. `onDrainRequested` is called when the
 * primary wishes that the worker ends.
 */
export async function startWorker(
  settings: WorkerSettings,
  log: Logger,
  onDrainRequested: (request: DrainRequest) => void,
): Promise<WorkerRole> {
  const { dataDir, node } = settings;
  const own = await homePlace(dataDir, node.id).catch((error: unknown) => {
    if (!(error instanceof DirectoryInUseError)) throw error;
    return undefined;
  });
  const redis = openRedis(settings.redis, log);
  const logs = await openLogArchive(settings, redis.archive).catch(async (error: unknown) => {
    await Promise.all([redis.close(), own?.release()]);
    throw error;
  });
  const workers = new PlacedWorkers(
    settings,
    {
      redis,
      logs,
      starter: await openStarter({ threadProgram: programs.spawnThread, log }),
      onDrainRequested,
    },
    log,
  );
  if (own !== undefined) workers.start(own);
  else {
    const spare = await sparePlace(dataDir, node.id);
    log.log('warn', 'An earlier worker of this node is still finishing its jobs', { worker: spare.id });
    workers.start(spare);
    workers.moveHome(spare);
  }
  const abandoned = await abandonedPlaces(dataDir).catch((error: unknown) => {
    log.log('warn', 'Places of earlier workers cannot be looked for', { error: String(error) });
    return [];
  });
  for (const place of abandoned) {
    log.log('info', 'What an earlier worker of this node left behind is seen to its end', {
      worker: place.id,
    });
    workers.start(place);
    workers.retire(place);
  }
  return { drain: (graceMs) => workers.drain(graceMs) };
}

/** The workers of one process: the one that takes jobs, and others that see theirs to the end. */
class PlacedWorkers {
  readonly #settings: WorkerSettings;
  readonly #shared: Connections;
  readonly #log: Logger;
  readonly #workers = new Map<WorkerPlace, Worker>();
  #cancelMove: Cancel = () => undefined;
  #closed: Promise<void> | undefined;

  constructor(settings: WorkerSettings, shared: Connections, log: Logger) {
    this.#settings = settings;
    this.#shared = shared;
    this.#log = log;
  }

  start(place: WorkerPlace): void {
    const worker = workerAt(place, this.#settings, this.#shared, this.#log);
    this.#workers.set(place, worker);
    // Results of an earlier boot go first, which takes as long as Redis is away: the node need not wait for it.
    worker
      .start()
      .catch((error: unknown) =>
        this.#log.log('error', 'The worker did not start', { error: String(error) }),
      );
  }

  /** Its worker takes no more jobs, and ends with its last one. */
  retire(place: WorkerPlace): void {
    this.#workers
      .get(place)
      ?.retire()
      .then(() => this.#leave(place))
      .catch((error: unknown) =>
        this.#log.log('error', 'A worker did not end cleanly', { worker: place.id, error: String(error) }),
      );
  }

  moveHome(from: WorkerPlace): void {
    const { dataDir, node } = this.#settings;
    this.#cancelMove = waitForHome(dataDir, node.id, (place) => {
      this.#log.log('info', 'The earlier worker has ended, and its place is taken', { worker: place.id });
      this.start(place);
      this.retire(from);
    });
  }

  async drain(graceMs: number): Promise<void> {
    this.#cancelMove();
    await Promise.all(
      Array.from(this.#workers, async ([place, worker]) => {
        await worker.drain(graceMs);
        await this.#leave(place);
      }),
    );
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close(): Promise<void> {
    this.#shared.logs.close();
    await this.#shared.redis.close();
    await this.#shared.starter.close();
  }

  async #leave(place: WorkerPlace): Promise<void> {
    if (this.#workers.delete(place)) await place.release();
  }
}

function workerAt(
  place: WorkerPlace,
  settings: WorkerSettings,
  { redis, logs, starter, onDrainRequested }: Connections,
  log: Logger,
): Worker {
  return createWorker(
    {
      clock,
      random,
      logger: log,
      launcher: new NodeProcessLauncher({ scriptDirectory: join(place.directory, 'scripts'), starter }),
      detached: new FileDetachedLauncher(join(place.directory, 'detached')),
      sampler: createProcessSampler(),
      logs: new FileJobLog(join(place.directory, 'logs')),
      archive: logs.archive,
      spool: new FileResultSpool(join(place.directory, 'results'), log),
      sanitizer: new AllowListSanitizer(),
      tickets: redis.queue,
      results: redis.queue,
      claims: new RedisRunClaims(redis.truth),
      lease: redis.lease,
      onDrainRequested,
      channel: new WsWorkerChannel({ secret: settings.clusterSecret, ca: settings.ca, clock, random, log }),
    },
    {
      node: { ...settings.node, id: place.id, ip: firstAddress(), version },
      process: { pid: process.pid, uid: process.getuid?.() ?? -1 },
      environment: baseEnvironment(settings, process.env),
      hiddenVariables: ['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', 'UV_THREADPOOL_SIZE'],
      workDirectory: process.cwd(),
      builtins: new Map(
        programs.plugins.map(([name, file]) => [name, { file: process.execPath, args: [file] }]),
      ),
      killTimeoutMs: settings.killTimeoutMs,
      sampleIntervalMs,
      limits: settings.limits,
      expireDays: settings.expireDays,
      zone: 'system',
      reportGraceMs,
    },
  );
}

/** An address for people to tell workers apart. */
function firstAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { internal, address } of addresses ?? []) if (!internal) return address;
  }
  return '127.0.0.1';
}
