import { readFile } from 'node:fs/promises';
import { DirectoryLock, EmbeddedRedis } from '@carillon/adapters';
import type { Logger } from '@carillon/core';
import type { Config } from '../config/index.js';
import { readCertificates } from './certificates.js';
import { onAbort, rejectedBy, settled } from './cut-short.js';
import { DataDirectory, reasonOf } from './data-directory.js';
import type { RedisSettings } from './redis-clients.js';
import { clock, createLog, random } from './services.js';
import { version } from './version.js';
import { type PrimaryRole, startPrimary } from '../primary/start-primary.js';
import { OwnWorker } from '../worker/own-worker.js';
import { startWorker } from '../worker/start-worker.js';
import type { WorkerSettings } from '../worker/worker-settings.js';
import { WorkerSupervisor } from '../worker/worker-supervisor.js';

/** A node in this process. */
export interface RunningNode {
  readonly nodeId: string;
  /** Base URL of the API; undefined on a node that is only a worker. */
  readonly url: string | undefined;
  /** Hands over, drains, and resolves when nothing runs any more. */
  stop(): Promise<void>;
  /** Cuts the grace period of a stop under way short. */
  hasten(): void;
  /** Resolves when the primary has shut its worker down and that was its only role: it may be stopped. */
  readonly whenEnded: Promise<void>;
}

/** A part of the node and how to end it; ended in the reverse order of the start. */
interface Part {
  stop(): Promise<void>;
}

/**
 * A start that is cut short gets this long to notice, so that nothing is ended under a part that is being started. One
 * that waits for something that does not answer is left at it.
 */
const noticeWithinMs = 5_000;

/**
 * Starts the roles of the configuration. When it resolves everything runs, though another node may be the
 * primary. Rejects with a message for people when it cannot start, and with the reason of `cutShort` when that is
 * aborted first; whatever needs an orderly end by then, such as a private Redis, has ended.
 */
export async function startNode(config: Config, cutShort: AbortSignal): Promise<RunningNode> {
  const early = createLog(config.log, { node: config.hostname });
  for (const warning of config.warnings) early.log('warn', warning);
  const directory = new DataDirectory(config.dataDir);
  await directory.prepare();
  const lock = await DirectoryLock.acquire(directory.path, clock, random);
  const parts: Part[] = [{ stop: () => lock.release() }];
  let log: Logger = early;
  let assembly: Promise<unknown> = Promise.resolve();
  try {
    const nodeId = await directory.nodeId();
    log = createLog(config.log, { node: config.hostname, nodeId });
    const assembled = assemble(config, { directory, lock, nodeId }, log, parts, cutShort);
    assembly = assembled;
    return await Promise.race([assembled, rejectedBy(cutShort)]);
  } catch (error) {
    if (cutShort.aborted) log.log('info', 'The start is cut short', { reason: reasonOf(cutShort.reason) });
    await settled(assembly, noticeWithinMs);
    await stopAll(parts, log);
    throw error;
  }
}

/** Looks at `cutShort` before each part; what it has started by then is in `parts`. */
async function assemble(
  config: Config,
  { directory, lock, nodeId }: { directory: DataDirectory; lock: DirectoryLock; nodeId: string },
  log: Logger,
  parts: Part[],
  cutShort: AbortSignal,
): Promise<RunningNode> {
  const redis = await redisSettings(config, () => startRedis(config, lock, log, parts, cutShort));
  const secret = config.clusterSecret ?? (await directory.localSecret());
  const certificates = await readCertificates(config.http);
  const settings = workerSettings(config, nodeId, redis, secret, certificates.ca);
  cutShort.throwIfAborted();
  const primary = config.roles.primary
    ? await startPrimary({ config, certificates, directory, log, nodeId, redis, secret, cutShort })
    : undefined;
  if (primary !== undefined) parts.push(primary);
  cutShort.throwIfAborted();
  const worker = config.roles.worker ? await startWorkerRole(settings, primary, log) : undefined;
  if (worker !== undefined) {
    // Parts end last to first. With a Redis of its own nobody can take over, and this primary has to apply the
    // worker's last results itself; otherwise it hands over at once and the worker drains afterwards.
    const isAlone = config.redis.url === undefined || primary === undefined;
    parts.splice(isAlone ? parts.length : parts.length - 1, 0, worker);
  }
  cutShort.throwIfAborted();
  log.log('info', 'The node runs', { version, ...(primary === undefined ? {} : { url: primary.url }) });
  return {
    nodeId,
    url: primary?.url,
    stop: () => stopAll(parts, log),
    hasten: () => worker?.hasten(),
    whenEnded: worker?.whenEnded ?? new Promise(() => undefined),
  };
}

async function startRedis(
  config: Config,
  lock: DirectoryLock,
  log: Logger,
  parts: Part[],
  cutShort: AbortSignal,
): Promise<string> {
  const redis = new EmbeddedRedis({
    lock,
    ...(config.redis.serverPath === undefined ? {} : { program: config.redis.serverPath }),
    clock,
    log,
  });
  // Before it runs: its start may be cut short, which makes it reject.
  parts.push({ stop: () => redis.stop() });
  const starting = redis.start();
  const ignore = onAbort(cutShort, () => {
    // What goes wrong is said where the parts are stopped.
    redis.stop().catch(() => undefined);
  });
  const { socketPath } = await starting.finally(ignore);
  return `unix:${socketPath}`;
}

/** The Redis of the configuration, or a private one, which has neither certificates nor replicas. */
async function redisSettings(config: Config, startPrivate: () => Promise<string>): Promise<RedisSettings> {
  const { url, prefix, replicas, authoritiesFile } = config.redis;
  if (url === undefined) return { url: await startPrivate(), prefix, replicas: 0 };
  if (authoritiesFile === undefined) return { url, prefix, replicas };
  const authorities = await readFile(authoritiesFile, 'utf8').catch((error: unknown) => {
    throw new Error(`CARILLON_REDIS_CA: ${authoritiesFile} cannot be read (${reasonOf(error)})`);
  });
  return { url, prefix, replicas, authorities };
}

function workerSettings(
  config: Config,
  nodeId: string,
  redis: RedisSettings,
  clusterSecret: string,
  ca: string | undefined,
): WorkerSettings {
  return {
    node: {
      id: nodeId,
      hostname: config.hostname,
      groups: [...config.groups],
      master: config.roles.primary ? 1 : 0,
      slots: config.workerSlots,
    },
    redis,
    clusterSecret,
    ...(ca === undefined ? {} : { ca }),
    dataDir: config.dataDir,
    logArchive: config.logArchive,
    killTimeoutMs: config.jobDefaults.killTimeoutMs,
    drainGraceMs: config.drainGraceMs,
    expireDays: config.jobDefaults.expireDays,
    limits: config.jobDefaults.limits,
    jobEnvironment: { ...config.jobDefaults.env },
    log: config.log,
  };
}

/** In a process of its own beside a primary, in this one when the worker is the only role. */
async function startWorkerRole(
  settings: WorkerSettings,
  primary: PrimaryRole | undefined,
  log: Logger,
): Promise<Part & { hasten(): void; whenEnded?: Promise<void> }> {
  if (primary === undefined) {
    const worker = new OwnWorker(settings, log, startWorker);
    await worker.start();
    return worker;
  }
  const supervisor = new WorkerSupervisor(settings, clock, log);
  supervisor.start();
  return { stop: () => supervisor.stop(settings.drainGraceMs), hasten: () => supervisor.hasten() };
}

/** Ends the parts, last started first; a part that fails does not keep the others running. */
async function stopAll(parts: Part[], log: Logger): Promise<void> {
  while (parts.length > 0) {
    await parts
      .pop()
      ?.stop()
      .catch((error: unknown) =>
        log.log('error', 'A part of the node did not stop cleanly', { error: String(error) }),
      );
  }
}
