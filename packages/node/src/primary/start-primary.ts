import {
  GotWebHookSender,
  NodemailerMailer,
  readProxySettings,
  RedisStore,
  RedisTimedClock,
  WsClusterChannel,
} from '@carillon/adapters';
import type { DeliveryQueue, Logger } from '@carillon/core';
import { type OfficeSettings, Primary, type PrimaryDeps } from '@carillon/primary';
import type { Config } from '../config/index.js';
import type { Certificates } from '../start/certificates.js';
import type { DataDirectory } from '../start/data-directory.js';
import { checkRedis } from './check-redis.js';
import { NodeMetrics } from './metrics.js';
import { serve } from './serve.js';
import { type OpenLogArchive, openLogArchive } from '../start/log-archive.js';
import { openRedis, type RedisSettings } from '../start/redis-clients.js';
import { clock as machineClock, digest, passwords, random } from '../start/services.js';
import { version } from '../start/version.js';

export interface PrimaryRoleDeps {
  config: Config;
  certificates: Certificates;
  directory: DataDirectory;
  log: Logger;
  nodeId: string;
  redis: RedisSettings;
  secret: string;
  /** Ends the wait for Redis. */
  cutShort: AbortSignal;
}

/** The primary role of a node. */
export interface PrimaryRole {
  /** Advertised base URL. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A worker unheard of for longer gets no new jobs. */
const silentAfterMs = 3_000;
const keyFile = 'admin-api-key';

/**
 * Serves the API and competes for the lease. Rejects when Redis or the address cannot be used, and with the reason of
 * `cutShort` when that is aborted while Redis does not answer.
 */
export async function startPrimary(deps: PrimaryRoleDeps): Promise<PrimaryRole> {
  const { config, log } = deps;
  const redis = openRedis(deps.redis, log);
  const logs = await openLogs(config, redis);
  const url = advertisedUrl(config);
  const clock = new RedisTimedClock({ redis: redis.commands, clock: machineClock, log });
  const metrics = new NodeMetrics(clock, version);
  const stopWatching = metrics.watch(redis.commands);
  const release = async (): Promise<void> => {
    stopWatching();
    clock.stop();
    logs.close();
    await redis.close();
  };
  const store = new RedisStore(redis.truth);
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
    passwords,
    log,
    meter: metrics.meter,
    candidate: { id: deps.nodeId, hostname: config.hostname, url },
    leaseTtlMs: config.leaseTtlMs,
    settings: officeSettings(config, url),
    bootstrapKey: config.bootstrapApiKey,
    onAdminKey: (key) => announceKey(deps.directory, key),
  });
  const served = serve(deps, {
    clock,
    primary,
    channel,
    checkReady: () => store.checkHealth(),
    metrics: () => metrics.text(primary),
  });
  try {
    await checkRedis(redis.commands, config.redis, log, deps.cutShort);
    await clock.start();
    await served.listen();
  } catch (error) {
    await release();
    throw error;
  }
  // A node that runs knows whom to send clients to.
  await primary.start();
  return {
    url,
    stop: async () => {
      await primary.stop();
      await served.close();
      await release();
    },
  };
}

/** Closes the connections when the archive cannot be used. */
function openLogs(config: Config, redis: ReturnType<typeof openRedis>): Promise<OpenLogArchive> {
  return openLogArchive(config, redis.archive).catch(async (error: unknown) => {
    await redis.close();
    throw error;
  });
}

/** What leaves the cluster. */
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
    accounts: config.accounts,
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

/** The URL other nodes and redirected clients are told. */
function advertisedUrl(config: Config): string {
  const { publicUrl, host, port } = config.http;
  if (publicUrl !== undefined) return publicUrl;
  const isAnyAddress = host === '0.0.0.0' || host === '::';
  const name = isAnyAddress ? config.hostname : host.includes(':') ? `[${host}]` : host;
  return `${config.http.tls === undefined ? 'http' : 'https'}://${name}:${port}`;
}

/**
 * The only time the first key is seen: on the terminal, and in a file that only the node's user can read. Not on
 * standard output, which is the log.
 */
async function announceKey(directory: DataDirectory, key: string): Promise<void> {
  await directory.writePrivate(keyFile, `${key}\n`);
  process.stderr.write(`Admin API key: ${key}\nIt is kept in ${directory.file(keyFile)}.\n`);
}
