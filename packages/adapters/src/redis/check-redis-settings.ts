import type { Redis } from 'ioredis';

/** What a Redis server is like for keeping jobs: sentences with their remedies; empty when all is well. */
export interface RedisSettingsReport {
  /** Why the promises cannot be kept on it. */
  faults: string[];
  /** What is weaker than it could be, or could not be checked. */
  doubts: string[];
}

const oldestVersion = [6, 2] as const;

/**
 * Looks at version, role, eviction policy and persistence. Where CONFIG is forbidden, as on hosted servers, what
 * INFO tells has to be enough, and what it does not tell is a doubt; the same where INFO is forbidden. `replicas` is
 * how many must have each write. Rejects only when the server does not answer.
 */
export async function checkRedisSettings(redis: Redis, replicas = 0): Promise<RedisSettingsReport> {
  const [text, save, appendFsync] = await Promise.all([
    unlessForbidden(redis.info()),
    readSetting(redis, 'save'),
    readSetting(redis, 'appendfsync'),
  ]);
  if (text === undefined) {
    return {
      faults: [],
      doubts: [`${unchecked} whether Redis evicts keys and keeps data on disk: INFO is forbidden.`],
    };
  }
  return judgeServer(parseInfo(text), { save, appendFsync }, replicas);
}

/** Settings that INFO does not tell; undefined where CONFIG is forbidden. */
export interface ReadSettings {
  save: string | undefined;
  appendFsync: string | undefined;
}

const unchecked = 'It could not be checked';

/** The rules of checkRedisSettings: `info` holds the fields of INFO. */
export function judgeServer(
  info: ReadonlyMap<string, string>,
  settings: ReadSettings,
  replicas = 0,
): RedisSettingsReport {
  const report: RedisSettingsReport = { faults: [], doubts: [] };
  const connected = Number(info.get('connected_slaves') ?? replicas);
  if (connected < replicas) {
    report.doubts.push(
      `Redis has ${connected} replicas, and writes have to reach ${replicas}: none is acknowledged before it has more.`,
    );
  }
  judgeVersion(info, report);
  judgeEviction(info, report);
  judgePersistence(info, settings, report);
  return report;
}

function judgeVersion(info: ReadonlyMap<string, string>, { faults }: RedisSettingsReport): void {
  // Valkey tells the version of Redis that it is compatible with.
  const version = info.get('redis_version') ?? '';
  if (!isRecent(version)) {
    faults.push(`Redis ${version || 'of unknown version'} is too old: use 6.2 or later.`);
  }
  if (info.get('role') === 'slave') {
    faults.push(
      'This Redis is a read-only replica: use the address of its master, or of the sentinels that watch it.',
    );
  }
}

/** Without a limit of memory nothing is evicted, whatever the policy is. */
function judgeEviction(info: ReadonlyMap<string, string>, { faults, doubts }: RedisSettingsReport): void {
  const policy = info.get('maxmemory_policy');
  const limit = info.get('maxmemory');
  if (policy === undefined) {
    doubts.push(`${unchecked} whether Redis evicts keys: its maxmemory-policy has to be noeviction.`);
  } else if (policy !== 'noeviction' && limit === '0') {
    doubts.push(
      `Redis would delete jobs if its memory were limited (maxmemory-policy ${policy}): set maxmemory-policy to noeviction.`,
    );
  } else if (policy !== 'noeviction') {
    faults.push(
      `Redis deletes jobs when memory runs out (maxmemory-policy ${policy}): set maxmemory-policy to noeviction.`,
    );
  }
}

function judgePersistence(
  info: ReadonlyMap<string, string>,
  { save, appendFsync }: ReadSettings,
  { faults, doubts }: RedisSettingsReport,
): void {
  const appends = info.get('aof_enabled');
  if (appends === '1') {
    if (appendFsync === undefined) {
      doubts.push(`${unchecked} when data reach the disk: appendfsync has to be everysec or always.`);
    } else if (appendFsync === 'no') {
      doubts.push(
        'Redis leaves it to the system when data reach the disk: set appendfsync to everysec or always.',
      );
    }
    if ((info.get('aof_last_write_status') ?? 'ok') !== 'ok') {
      doubts.push('Redis cannot write its append-only file: check the space and the rights of its disk.');
    }
  } else if (appends === undefined || save === undefined) {
    doubts.push(`${unchecked} whether Redis keeps data on disk: appendonly has to be yes.`);
  } else if (save === '') {
    faults.push('Redis keeps nothing on disk: a restart loses everything. Set appendonly to yes.');
  } else {
    doubts.push('Redis writes snapshots only: a crash would lose minutes of work. Set appendonly to yes.');
  }
}

/** The `name:value` lines of INFO. */
export function parseInfo(text: string): Map<string, string> {
  const info = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) info.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return info;
}

function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  return major > oldestVersion[0] || (major === oldestVersion[0] && minor >= oldestVersion[1]);
}

/** Undefined where the server does not allow it. */
async function unlessForbidden<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    // Anything else is a server that does not answer.
    if (error instanceof Error && /^(?:NOPERM|ERR) /.test(error.message)) return undefined;
    throw error;
  }
}

async function readSetting(redis: Redis, name: string): Promise<string | undefined> {
  const reply: unknown = await unlessForbidden(redis.config('GET', name));
  const value: unknown = Array.isArray(reply) ? reply[1] : undefined;
  return typeof value === 'string' ? value : undefined;
}
