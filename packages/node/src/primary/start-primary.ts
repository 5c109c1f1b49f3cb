import {
  GotWebHookSender,
  NodemailerMailer,
  readProxySettings,
  RedisStore,
  WsClusterChannel,
} from '@carillon/adapters';
import type { Cancel, Logger } from '@carillon/core';
import {
  createApiHandler,
  createHttpApp,
  createHttpServer,
  Gate,
  type HttpServer,
  LiveServer,
  type OfficeSettings,
  Primary,
  type UpgradeHandler,
} from '@carillon/primary';
import type { Config } from '../config/index.js';
import { type Certificates, followCertificate } from '../start/certificates.js';
import type { DataDirectory } from '../start/data-directory.js';
import { checkRedis } from './check-redis.js';
import { NodeMetrics } from './metrics.js';
import { type OpenLogArchive, openLogArchive } from '../start/log-archive.js';
import { openRedis, type RedisSettings } from '../start/redis-clients.js';
import { clock, digest, passwords, random } from '../start/services.js';
import { version } from '../start/version.js';

export interface PrimaryRoleDeps {
  config: Config;
  certificates: Certificates;
  directory: DataDirectory;
  log: Logger;
  nodeId: string;
  redis: RedisSettings;
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
  const redis = openRedis(deps.redis, log);
  const logs = await openLogs(config, redis);
  const url = advertisedUrl(config);
  const metrics = new NodeMetrics(clock, version);
  const stopWatching = metrics.watch(redis.commands);
  const store = new RedisStore(redis.truth);
  const channel = new WsClusterChannel({ secret: deps.secret, clock, random, log });
  const primary = new Primary({
    lease: redis.lease,
    store,
    queue: redis.queue,
    archive: logs.archive,
    outbound: { queue: redis.queue, ...senders(config) },
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
  const { http, live } = serve(deps, {
    primary,
    channel,
    checkReady: () => store.checkHealth(),
    metrics: () => metrics.text(primary),
  });
  try {
    await checkRedis(redis.commands, config.redis, log);
    await http.listen(config.http.port, config.http.host);
  } catch (error) {
    stopWatching();
    logs.close();
    await redis.close();
    throw listenProblem(error, config);
  }
  const unfollow = followOwn(deps, http);
  primary.start();
  return {
    url,
    stop: async () => {
      unfollow();
      stopWatching();
      await primary.stop();
      live.close();
      await http.close(closeWithinMs);
      logs.close();
      await redis.close();
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
function senders({ notices }: Config) {
  return {
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

interface Served {
  primary: Primary;
  channel: { handleUpgrade: UpgradeHandler };
  checkReady: () => Promise<void>;
  metrics: () => string;
}

/** The node's HTTP server: the API first, then everything else; and the live channel, whose clients count as the API's. */
function serve(
  { config, certificates, log }: PrimaryRoleDeps,
  { primary, channel, checkReady, metrics }: Served,
): { http: HttpServer; live: LiveServer } {
  const gate = openGate(config);
  const live = new LiveServer({
    standing: primary,
    source: () => primary.office(),
    digest,
    clock,
    log,
    gate,
  });
  const api = createApiHandler({
    standing: primary,
    nonPrimary: config.nonPrimary,
    digest,
    clock,
    random,
    log,
    maxBodyBytes: config.http.maxBodyBytes,
    gate,
    ca: certificates.ca,
  });
  const app = createHttpApp({ standing: primary, clock, log, version, checkReady, metrics });
  const http = createHttpServer({
    api,
    app,
    upgrades: [channel, live].map(
      (end): UpgradeHandler =>
        (request, socket, head) =>
          end.handleUpgrade(request, socket, head),
    ),
    clock,
    log,
    certificate: certificates.own,
  });
  return { http, live };
}

/** Limits by the settings; at once twice as many as in a second, and half a minute's worth of failures. */
function openGate({ http: { limits, trustedProxies } }: Config): Gate {
  const perSec = (rate: number) => (rate === 0 ? undefined : { perSec: rate, burst: 2 * rate });
  const [perCaller, perAddress] = [perSec(limits.perKeyPerSec), perSec(limits.perAddressPerSec)];
  const perMin = limits.failedAuthPerMin;
  const failures = { perSec: perMin / 60, burst: Math.ceil(perMin / 2) };
  return new Gate({
    rules: {
      ...(perCaller === undefined ? {} : { perCaller }),
      ...(perAddress === undefined ? {} : { perAddress }),
      ...(perMin === 0 ? {} : { failures }),
    },
    trustedProxies,
    clock,
  });
}

function followOwn({ config, certificates, log }: PrimaryRoleDeps, http: HttpServer): Cancel {
  const { tls } = config.http;
  if (tls === undefined || certificates.own === undefined) return () => undefined;
  return followCertificate(tls, certificates.own, (renewed) => http.renewCertificate(renewed), clock, log);
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
