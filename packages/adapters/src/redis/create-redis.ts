import type { Logger } from '@carillon/core';
import { Redis, type RedisOptions } from 'ioredis';
import { batchWrites } from './batch-writes.js';
import { explainOutage } from './explain-outage.js';
import { findingConnector } from './finder/finding-connector.js';
import { SentinelMaster } from './finder/sentinel-master.js';
import type { ConnectionSecrets, ServerFinder } from './finder/server-finder.js';
import { SlotOwner } from './finder/slot-owner.js';
import { keySpace } from './key-space.js';
import { type Credentials, type HostPort, type RedisPlace, readRedisPlace } from './redis-place.js';

export interface RedisConfig {
  /** As `readRedisPlace` reads it. */
  url: string;
  log: Logger;
  /** What all keys start with, hash tag included: it decides which server of a Redis Cluster has them. */
  root?: string;
  /** PEM text of the authorities that are trusted instead of the system's, where the address asks for TLS. */
  authorities?: string | undefined;
  /** Where servers that sentinels or a cluster name are reached, when not at the address they announce. */
  route?: (announced: HostPort) => HostPort;
}

/**
 * `commands`: answers or fails within about two seconds, for everything a caller waits for. `blocking`: waits for
 * Redis for as long as it takes, for queue consumers. `subscribe`: the same, for a connection that only listens.
 */
export type RedisUse = 'commands' | 'blocking' | 'subscribe';

const keepAliveMs = 5_000;

const optionsOf: Readonly<Record<RedisUse, CommonOptions>> = {
  commands: {
    maxRetriesPerRequest: 1,
    commandTimeout: 2_000,
    socketTimeout: 5_000,
    keepAlive: keepAliveMs,
  },
  blocking: { maxRetriesPerRequest: null, keepAlive: keepAliveMs },
  subscribe: { maxRetriesPerRequest: null, keepAlive: keepAliveMs },
};

/**
 * Opens a client for one use, to the server that has the keys. It connects by itself, now and after every loss, each
 * time to whichever server has them then; failures are logged once per outage. Unanswered commands, and those refused
 * by a server that no longer has the keys, are repeated after a reconnection, so every write must be harmless when
 * repeated. Throws RangeError for an unusable address. This is the only place that knows how a server is found.
 */
export function createRedis(config: RedisConfig, use: RedisUse): Redis {
  const place = readRedisPlace(config.url);
  const redis = openAt(place, config, {
    ...optionsOf[use],
    connectionName: `carillon-${use}`,
    connectTimeout: 3_000,
    // A client that is closed while it has no connection keeps the process alive for this long.
    disconnectTimeout: 250,
    retryStrategy: reconnectDelayMs,
    reconnectOnError: (error) => afterRefusal(error, place),
  });
  // Clients are shared by any number of consumers, each with listeners of its own.
  redis.setMaxListeners(Number.POSITIVE_INFINITY);
  batchWrites(redis);
  explainOutage(redis);
  watchConnection(redis, config.log.child({ connection: use }));
  return redis;
}

type CommonOptions = Omit<RedisOptions, 'replyMapping'>;

function openAt(place: RedisPlace, config: RedisConfig, common: CommonOptions): Redis {
  if (place.kind === 'socket') return new Redis({ ...common, path: place.path });
  const tls = place.tls ? { ca: config.authorities } : undefined;
  const secure = tls === undefined ? {} : { tls };
  if (place.kind === 'server') return new Redis(place.url, { ...common, ...secure });
  return new Redis({
    ...common,
    ...given(place.login),
    ...secure,
    db: place.kind === 'sentinel' ? place.database : 0,
    Connector: findingConnector(finderOf(place, config, secure), tls),
  });
}

function finderOf(
  place: Extract<RedisPlace, { kind: 'sentinel' | 'cluster' }>,
  config: RedisConfig,
  secure: ConnectionSecrets,
): ServerFinder {
  const route = config.route ?? ((announced: HostPort) => announced);
  if (place.kind === 'sentinel') {
    const secrets = { ...given(place.sentinelLogin), ...secure };
    return new SentinelMaster({ sentinels: place.sentinels, name: place.name, secrets, route });
  }
  const key = config.root ?? keySpace().root;
  return new SlotOwner({ seeds: place.servers, key, secrets: { ...given(place.login), ...secure }, route });
}

/** The client takes undefined for a value. */
function given({ username, password }: Credentials): { username?: string; password?: string } {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

/**
 * What to do about an error that the server answers with: 2 = find the server that has the keys now, and ask it; 1 =
 * reconnect, for later calls; false = nothing. None of the refused commands has been carried out.
 */
function afterRefusal({ message }: Error, { kind }: RedisPlace): 1 | 2 | false {
  if (/^(?:MOVED|MASTERDOWN) |\bREADONLY\b/.test(message)) {
    return kind === 'sentinel' || kind === 'cluster' ? 2 : 1;
  }
  return message.startsWith('CLUSTERDOWN ') ? 1 : false;
}

/** Long enough for a supervised Redis to be back at the first attempt, short enough to notice when it is. */
function reconnectDelayMs(attempt: number): number {
  return Math.min(250 * attempt, 1_000);
}

function watchConnection(redis: Redis, log: Logger): void {
  let broken = false;
  redis.on('error', (error: Error) => {
    log.log(broken ? 'debug' : 'warn', 'Redis cannot be reached', { error: error.message });
    broken = true;
  });
  redis.on('ready', () => {
    if (broken) log.log('info', 'Redis is back');
    broken = false;
  });
}

/**
 * Closes a client for good: one for commands after those already sent, if it is connected, any other at once. Never
 * rejects, and never waits for a server that does not answer longer than a command would.
 */
export async function closeRedis(redis: Redis): Promise<void> {
  if (redis.status === 'ready' && redis.options.commandTimeout !== undefined) {
    await redis.quit().catch(() => undefined);
  }
  if (redis.status !== 'end') redis.disconnect();
}
