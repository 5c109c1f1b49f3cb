import {
  GotWebHookSender,
  NodemailerMailer,
  readProxySettings,
  RedisStore,
  RedisTimedClock,
  WsClusterChannel,
} from '@carillon/adapters';
import type { Clock, DeliveryQueue, Logger } from '@carillon/core';
import {
  createApiHandler,
  createHttpApp,
  createHttpServer,
  type HttpServer,
  LiveServer,
  type OfficeSettings,
  Primary,
  type PrimaryDeps,
  type UpgradeHandler,
} from '@carillon/primary';
import type { Config } from '../config/index.js';
import type { DataDirectory } from '../start/data-directory.js';
import { checkRedis } from './check-redis.js';
import { createMetrics } from './metrics.js';
import { openLogArchive } from '../start/log-archive.js';
import { openRedis } from '../start/redis-clients.js';
import { clock as machineClock, digest, random } from '../start/services.js';
import { version } from '../start/version.js';

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
  const { config, log } = deps;
  const redis = openRedis({ url: deps.redisUrl, prefix: config.redis.prefix }, log);
  const logs = await openLogArchive(config.logArchive, redis.archive).catch(async (error: unknown) => {
    await redis.close();
    throw error;
  });
  const url = advertisedUrl(config);
  const clock = new RedisTimedClock({ redis: redis.commands, clock: machineClock, log });
  const release = async (): Promise<void> => {
    clock.stop();
    logs.close();
    await redis.close();
  };
  const store = new RedisStore({ redis: redis.commands, keys: redis.keys });
  const channel = new WsClusterChannel({ secret: deps.secret, clock, random, log });
  const primary = new Primary({
    lease: redis.lease,
    store,
    queue: redis.queue,
    archive: logs.archive,
    outbound: outboundPorts(redis.queue, config),
    channel,
    clock,
    random,
    digest,
    log,
    candidate: { id: deps.nodeId, hostname: config.hostname, url },
    leaseTtlMs: config.leaseTtlMs,
    settings: officeSettings(config, url),
    bootstrapKey: config.bootstrapApiKey,
    onAdminKey: (key) => announceKey(deps.directory, key),
  });
  const live = new LiveServer({ standing: primary, source: () => primary.office(), digest, clock, log });
  const checkReady = () => store.checkHealth();
  const http = serve({ config, clock, log, primary, checkReady, upgrades: [channel, live] });
  try {
    await checkRedis(redis.commands, log);
    await clock.start();
    await http.listen(config.http.port, config.http.host);
  } catch (error) {
    await release();
    throw listenProblem(error, config);
  }
  primary.start();
  return {
    url,
    stop: async () => {
      await primary.stop();
      live.close();
      await http.close(closeWithinMs);
      await release();
    },
  };
}

function outboundPorts(queue: DeliveryQueue, { notices }: Config): PrimaryDeps['outbound'] {
  return {
    queue,
    hooks: new GotWebHookSender(readProxySettings(process.env)),
    mailer: new NodemailerMailer(structuredClone(notices.smtp)),
  };
}

function officeSettings(config: Config, url: string): OfficeSettings {
  const { lateWindowSec, jobDefaults, notices } = config;
  return {
    lateWindowSec,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    expireDays: jobDefaults.expireDays,
    historyRows: jobDefaults.historyRows,
    maxJobs: jobDefaults.maxJobs,
    eventUpdatesFromJobs: jobDefaults.eventUpdatesFromJobs,
    manualJobsTracked: jobDefaults.manualJobsTracked,
    silentAfterMs,
    deadJobTimeoutMs: jobDefaults.deadJobTimeoutMs,
    maxEmailsPerDay: notices.maxEmailsPerDay,
    notices: {
      version,
      hostname: config.hostname,
      zone: 'system',
      baseAppUrl: config.baseAppUrl ?? url,
      hooks: notices.hooks,
      mail: notices.mail,
    },
  };
}

interface Serving {
  config: Config;
  clock: Clock;
  log: Logger;
  primary: Primary;
  checkReady: () => Promise<void>;
  upgrades: readonly { handleUpgrade: UpgradeHandler }[];
}

/** The node's HTTP server: the API first, then everything else. */
function serve({ config, clock, log, primary, checkReady, upgrades }: Serving): HttpServer {
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
  const app = createHttpApp({ standing: primary, clock, log, version, checkReady, metrics });
  return createHttpServer({
    api,
    app,
    upgrades: upgrades.map((end) => (request, socket, head) => end.handleUpgrade(request, socket, head)),
    clock,
    log,
  });
}

/** The URL other nodes and redirected clients are told. */
function advertisedUrl(config: Config): string {
  const { publicUrl, host, port } = config.http;
  if (publicUrl !== undefined) return publicUrl;
  const isAnyAddress = host === '0.0.0.0' || host === '::';
  const name = isAnyAddress ? config.hostname : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

/**
 * The only time the first key is seen: on the terminal, and in a file that only the node's user can read. Not on
 * standard output, which is the log.
 */
async function announceKey(directory: DataDirectory, key: string): Promise<void> {
  await directory.writePrivate(keyFile, `${key}\n`);
  process.stderr.write(`Admin API key: ${key}\nIt is kept in ${directory.file(keyFile)}.\n`);
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
