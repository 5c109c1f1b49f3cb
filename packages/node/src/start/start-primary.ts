import { RedisStore, WsClusterChannel } from '@carillon/adapters';
import type { Logger } from '@carillon/core';
import { createApiHandler, createHttpApp, createHttpServer, LiveServer, Primary } from '@carillon/primary';
import { type Config, isLoopback } from '../config/index.js';
import type { DataDirectory } from './data-directory.js';
import { checkRedis } from './check-redis.js';
import { createMetrics } from './metrics.js';
import { openRedis } from './redis-clients.js';
import { clock, digest, random } from './services.js';

export interface PrimaryRoleDeps {
  config: Config;
  directory: DataDirectory;
  log: Logger;
  nodeId: string;
  redisUrl: string;
  secret: string;
}

/** The primary role of a node. */
export interface PrimaryRole {
  /** Advertised base URL. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A worker unheard of for longer gets no new jobs. */
const silentAfterMs = 3_000;
/** Requests under way when the node stops get this long. */
const closeWithinMs = 5_000;
const keyFile = 'admin-api-key';

/** Serves the API and competes for the lease. Rejects when Redis or the address cannot be used. */
export async function startPrimary(deps: PrimaryRoleDeps): Promise<PrimaryRole> {
  const { config, log, nodeId } = deps;
  const redis = openRedis({ url: deps.redisUrl, prefix: config.redis.prefix }, log);
  const url = advertisedUrl(config);
  const store = new RedisStore({ redis: redis.commands, keys: redis.keys });
  const channel = new WsClusterChannel({ secret: deps.secret, clock, random, log });
  const primary = new Primary({
    lease: redis.lease,
    store,
    queue: redis.queue,
    archive: redis.archive,
    channel,
    clock,
    random,
    digest,
    log,
    candidate: { id: nodeId, hostname: config.hostname, url },
    leaseTtlMs: config.leaseTtlMs,
    settings: {
      lateWindowSec: config.lateWindowSec,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      expireDays: config.jobDefaults.expireDays,
      historyRows: config.jobDefaults.historyRows,
      maxJobs: config.jobDefaults.maxJobs,
      silentAfterMs,
      deadJobTimeoutMs: config.jobDefaults.deadJobTimeoutMs,
    },
    bootstrapKey: config.bootstrapApiKey,
    onAdminKey: (key) => announceKey(deps.directory, key),
  });
  const live = new LiveServer({ standing: primary, source: () => primary.office(), digest, clock, log });
  const api = createApiHandler({
    standing: primary,
    nonPrimary: config.nonPrimary,
    digest,
    clock,
    random,
    log,
    maxBodyBytes: config.http.maxBodyBytes,
  });
  const metrics = createMetrics(primary);
  const app = createHttpApp({
    standing: primary,
    clock,
    log,
    checkReady: () => store.checkHealth(),
    metrics,
  });
  const upgrades = [channel, live].map(
    (end) =>
      (...upgrade: Parameters<typeof live.handleUpgrade>) =>
        end.handleUpgrade(...upgrade),
  );
  const http = createHttpServer({ api, app, upgrades, clock, log });
  try {
    await checkRedis(redis.commands, log);
    await http.listen(config.http.port, config.http.host);
  } catch (error) {
    await redis.close();
    throw listenProblem(error, config);
  }
  primary.start();
  return {
    url,
    stop: async () => {
      await primary.stop();
      live.close();
      await http.close(closeWithinMs);
      await redis.close();
    },
  };
}

/** The URL other nodes and redirected clients are told. */
function advertisedUrl(config: Config): string {
  const { publicUrl, host, port } = config.http;
  if (publicUrl !== undefined) return publicUrl;
  const isAnyAddress = host === '0.0.0.0' || host === '::';
  const name = isAnyAddress
    ? config.hostname
    : isLoopback(host)
      ? host
      : host.includes(':')
        ? `[${host}]`
        : host;
  return `http://${name}:${port}`;
}

/** The only time the first key is seen: on the terminal, and in a file that only the node's user can read. */
async function announceKey(directory: DataDirectory, key: string): Promise<void> {
  await directory.writePrivate(keyFile, `${key}\n`);
  process.stdout.write(`Admin API key: ${key}\nIt is kept in ${directory.file(keyFile)}.\n`);
}

function listenProblem(error: unknown, config: Config): unknown {
  const { host, port } = config.http;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return new Error(`Port ${port} on ${host} is in use; stop the other program or set CARILLON_HTTP_PORT`);
  }
  if (code === 'EADDRNOTAVAIL')
    return new Error(`${host} is not an address of this machine: CARILLON_HTTP_HOST`);
  if (code === 'EACCES')
    return new Error(`Port ${port} needs more rights; set CARILLON_HTTP_PORT to 1024 or more`);
  return error;
}
