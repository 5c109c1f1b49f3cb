import { hostname as systemHostname } from 'node:os';
import { join, resolve } from 'node:path';
import { checkTogether, doubtsOf } from './check-together.js';
import { type Config, ConfigError } from './config.js';
import { readLogArchivePlace } from './log-archive-place.js';
import { readAccounts } from './tables/account-settings.js';
import { peerSettings } from './tables/peer-settings.js';
import { type Environment, type Given, readEnvironment } from './read-environment.js';
import { type NoticeConfig, readNotices } from './notice-config.js';
import { noPeerFile, type PeerGiven, readPeerFile } from './read-peer-file.js';

/** Where the configuration comes from; all but `env` default to the facts of this process. */
export interface ConfigSources {
  readonly env: Environment;
  /** Path of the file with Cronicle's settings; wins over CARILLON_CONFIG. */
  readonly file?: string;
  readonly systemHostname?: string;
  readonly workingDirectory?: string;
  /** The log goes to a terminal. */
  readonly isTerminal?: boolean;
}

/**
 * The whole configuration, frozen. Throws one ConfigError that names every unknown or bad value, and every broken
 * rule between settings (product table "Environment", behaviour reference 11.1).
 */
export function loadConfig(sources: ConfigSources): Config {
  const problems: string[] = [];
  const warnings: string[] = [];
  const given = readEnvironment(sources.env, problems);
  const directory = sources.workingDirectory ?? process.cwd();
  const file = sources.file ?? given('CARILLON_CONFIG');
  const peer = file === undefined ? noPeerFile : readPeerFile(resolve(directory, file), problems, warnings);
  const config = assemble(given, peer.given, {
    directory,
    hostname: sources.systemHostname ?? systemHostname(),
    isTerminal: sources.isTerminal ?? process.stdout.isTTY === true,
    notices: readNotices(peer, problems, warnings),
    accounts: readAccounts(peer, warnings),
    warnings,
  });
  // A rule between settings says nothing useful about a value that is bad in itself.
  if (problems.length === 0) problems.push(...checkTogether(config));
  if (problems.length > 0) throw new ConfigError(problems);
  warnings.push(...doubtsOf(config));
  return deepFreeze(config);
}

interface Surroundings {
  directory: string;
  hostname: string;
  isTerminal: boolean;
  notices: NoticeConfig;
  accounts: Config['accounts'];
  warnings: readonly string[];
}

function assemble(given: Given, peer: PeerGiven, around: Surroundings): Config {
  const roles = given('CARILLON_ROLES') ?? ['primary', 'worker'];
  const redisUrl = given('CARILLON_REDIS_URL');
  const dataDir = resolve(around.directory, given('CARILLON_DATA_DIR') ?? './data');
  const logArchive = given('CARILLON_LOG_ARCHIVE') ?? presetLogArchive(redisUrl, dataDir);
  return {
    roles: { primary: roles.includes('primary'), worker: roles.includes('worker') },
    http: {
      host: given('CARILLON_HTTP_HOST') ?? '127.0.0.1',
      port: given('CARILLON_HTTP_PORT') ?? 3012,
      publicUrl: given('CARILLON_PUBLIC_URL')?.replace(/\/+$/, ''),
      maxBodyBytes: given('CARILLON_MAX_BODY_BYTES') ?? 33_554_432,
    },
    redis: {
      url: redisUrl,
      prefix: given('CARILLON_REDIS_PREFIX') ?? 'carillon',
      serverPath: absolute(around.directory, given('CARILLON_REDIS_SERVER')),
    },
    dataDir,
    logArchive: readLogArchivePlace(logArchive, around.directory),
    hostname: (given('CARILLON_HOSTNAME') ?? around.hostname).toLowerCase(),
    groups: given('CARILLON_GROUPS') ?? [],
    clusterSecret: given('CARILLON_CLUSTER_SECRET'),
    bootstrapApiKey: given('CARILLON_BOOTSTRAP_API_KEY'),
    leaseTtlMs: given('CARILLON_LEASE_TTL_MS') ?? 2500,
    nonPrimary: given('CARILLON_NON_PRIMARY') ?? 'redirect',
    lateWindowSec: given('CARILLON_LATE_WINDOW') ?? 90,
    drainGraceMs: (given('CARILLON_DRAIN_GRACE') ?? 30) * 1000,
    workerSlots: given('CARILLON_WORKER_SLOTS') ?? 0,
    log: {
      level: given('CARILLON_LOG_LEVEL') ?? 'info',
      format: given('CARILLON_LOG_FORMAT') ?? (around.isTerminal ? 'text' : 'json'),
    },
    ...assemblePeer(peer),
    notices: around.notices,
    accounts: around.accounts,
    warnings: around.warnings,
  };
}

function assemblePeer(peer: PeerGiven): Pick<Config, 'jobDefaults' | 'baseAppUrl'> {
  const baseAppUrl = peer('base_app_url');
  return {
    jobDefaults: {
      expireDays: peer('job_data_expire_days') ?? peerSettings.job_data_expire_days.preset,
      historyRows: peer('list_row_max') ?? peerSettings.list_row_max.preset,
      maxJobs: peer('max_jobs') ?? peerSettings.max_jobs.preset,
      eventUpdatesFromJobs: Boolean(
        peer('allow_event_updates_from_jobs') ?? peerSettings.allow_event_updates_from_jobs.preset,
      ),
      manualJobsTracked: Boolean(peer('track_manual_jobs') ?? peerSettings.track_manual_jobs.preset),
      killTimeoutMs: (peer('child_kill_timeout') ?? peerSettings.child_kill_timeout.preset) * 1000,
      deadJobTimeoutMs: (peer('dead_job_timeout') ?? peerSettings.dead_job_timeout.preset) * 1000,
      limits: {
        memoryBytes: peer('job_memory_max') ?? peerSettings.job_memory_max.preset,
        memorySustainSec: peer('job_memory_sustain') ?? peerSettings.job_memory_sustain.preset,
        cpuPercent: peer('job_cpu_max') ?? peerSettings.job_cpu_max.preset,
        cpuSustainSec: peer('job_cpu_sustain') ?? peerSettings.job_cpu_sustain.preset,
        cpuGraceSec: peer('job_startup_grace') ?? peerSettings.job_startup_grace.preset,
        logBytes: peer('job_log_max_size') ?? peerSettings.job_log_max_size.preset,
      },
      env: Object.fromEntries(
        Object.entries(peer('job_env') ?? {}).map(([name, value]) => [name, String(value)]),
      ),
    },
    baseAppUrl: baseAppUrl === undefined || baseAppUrl === '' ? undefined : baseAppUrl.replace(/\/+$/, ''),
  };
}

/** In a cluster where every node can read it; a node with a private Redis has no others, and spares its memory. */
function presetLogArchive(redisUrl: string | undefined, dataDir: string): string {
  return redisUrl === undefined ? `dir:${join(dataDir, 'log-archive')}` : 'redis';
}

/** A bare program name is left to the PATH. */
function absolute(directory: string, path: string | undefined): string | undefined {
  return path?.includes('/') ? resolve(directory, path) : path;
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) deepFreeze(part);
  }
  return Object.freeze(value);
}
