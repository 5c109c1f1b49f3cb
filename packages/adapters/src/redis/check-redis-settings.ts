import type { Redis } from 'ioredis';

/** What is wrong with a Redis server for keeping jobs, each with its remedy; empty when all is well. */
export interface RedisSettingsReport {
  problems: string[];
}

const oldestVersion = [6, 2] as const;

/**
 * Looks at version, role, eviction policy and persistence. Where CONFIG is forbidden, as on hosted servers, what
 * INFO tells is enough. Rejects only when INFO itself fails.
 */
export async function checkRedisSettings(redis: Redis): Promise<RedisSettingsReport> {
  const info = parseInfo(await redis.info());
  const [save, appendFsync] = await Promise.all([
    readSetting(redis, 'save'),
    readSetting(redis, 'appendfsync'),
  ]);
  return { problems: findProblems(info, { save, appendFsync }) };
}

/** Settings that INFO does not tell; undefined where CONFIG is forbidden. */
export interface ReadSettings {
  save: string | undefined;
  appendFsync: string | undefined;
}

/** The rules of checkRedisSettings: `info` holds the fields of INFO. */
export function findProblems(info: ReadonlyMap<string, string>, settings: ReadSettings): string[] {
  return [...serverProblems(info), ...persistenceProblems(info, settings)];
}

function serverProblems(info: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  const version = info.get('redis_version') ?? '';
  if (!isRecent(version)) {
    problems.push(`Redis ${version || 'of unknown version'} is too old: use 6.2 or later.`);
  }
  if (info.get('role') === 'slave') {
    problems.push('This Redis is a read-only replica: use the address of its primary.');
  }
  const policy = info.get('maxmemory_policy') ?? 'noeviction';
  if (policy !== 'noeviction') {
    problems.push(
      `Redis may delete jobs when memory runs out (maxmemory-policy ${policy}): set maxmemory-policy to noeviction.`,
    );
  }
  return problems;
}

function persistenceProblems(info: ReadonlyMap<string, string>, settings: ReadSettings): string[] {
  if (info.get('aof_enabled') !== '1') {
    if (settings.save === '') {
      return ['Redis keeps nothing on disk: a restart would lose everything. Set appendonly to yes.'];
    }
    return ['Redis writes snapshots only: a crash would lose minutes of work. Set appendonly to yes.'];
  }
  const problems: string[] = [];
  if (settings.appendFsync === 'no') {
    problems.push(
      'Redis leaves it to the system when data reach the disk: set appendfsync to everysec or always.',
    );
  }
  if ((info.get('aof_last_write_status') ?? 'ok') !== 'ok') {
    problems.push('Redis cannot write its append-only file: check the space and the rights of its disk.');
  }
  return problems;
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

async function readSetting(redis: Redis, name: string): Promise<string | undefined> {
  try {
    const reply: unknown = await redis.config('GET', name);
    const value: unknown = Array.isArray(reply) ? reply[1] : undefined;
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
