import { readRedisPlace } from '@carillon/adapters';
import type { Config } from './config.js';

/** True when only programs of the same machine can reach a listener on this address. */
export function isLoopback(host: string): boolean {
  return /^(127(\.\d{1,3}){3}|localhost|::1|\[::1\])$/i.test(host);
}

/** The rules that span several settings: one sentence for each that is broken. */
export function checkTogether(config: Config): string[] {
  const problems: string[] = [];
  const { roles, http, redis, clusterSecret, logArchive } = config;
  if (roles.primary && !isLoopback(http.host) && clusterSecret === undefined) {
    problems.push(
      `CARILLON_CLUSTER_SECRET: needed to listen beyond this machine (CARILLON_HTTP_HOST is ${http.host}); ` +
        'at least 16 characters, the same on all nodes',
    );
  }
  if (http.tls !== undefined && (http.tls.certPath === '' || http.tls.keyPath === '')) {
    const missing = http.tls.certPath === '' ? 'CARILLON_TLS_CERT' : 'CARILLON_TLS_KEY';
    problems.push(`${missing}: TLS needs both a certificate and its key`);
  }
  if (logArchive.kind === 's3' && logArchive.endpoint !== undefined && !URL.canParse(logArchive.endpoint)) {
    problems.push(`CARILLON_LOG_ARCHIVE: its endpoint is not a URL: ${logArchive.endpoint}`);
  }
  const unreadable = redis.url === undefined ? undefined : whyUnreadable(redis.url);
  if (unreadable !== undefined) problems.push(`CARILLON_REDIS_URL: ${unreadable}`);
  if (!roles.primary) {
    if (redis.url === undefined) {
      problems.push(
        'CARILLON_REDIS_URL: needed by a node that is only a worker: it is the Redis of its primaries',
      );
    }
    if (clusterSecret === undefined) {
      problems.push(
        'CARILLON_CLUSTER_SECRET: needed by a node that is only a worker; the same as on its primaries',
      );
    }
  }
  return problems;
}

function whyUnreadable(url: string): string | undefined {
  try {
    readRedisPlace(url);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Combinations that work and are probably not meant. */
export function doubtsOf(config: Config): string[] {
  const doubts: string[] = [];
  if (config.roles.primary && !config.roles.worker && config.redis.url === undefined) {
    doubts.push(
      'CARILLON_ROLES is primary and CARILLON_REDIS_URL is not set: with its private Redis this node can have no workers',
    );
  }
  if (
    config.redis.url !== undefined &&
    !isLoopback(config.http.host) &&
    config.roles.primary &&
    unspecific(config)
  ) {
    doubts.push(
      `CARILLON_PUBLIC_URL is not set: other nodes will look for this one at its host name, ${config.hostname}`,
    );
  }
  if (config.http.tls !== undefined && config.http.publicUrl?.startsWith('http:') === true) {
    doubts.push('CARILLON_PUBLIC_URL is an http URL, and this node serves TLS alone');
  }
  return doubts;
}

const unspecific = (config: Config): boolean =>
  config.http.publicUrl === undefined && (config.http.host === '0.0.0.0' || config.http.host === '::');
