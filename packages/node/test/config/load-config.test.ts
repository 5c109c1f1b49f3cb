import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultAccountSettings } from '@carillon/core';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Config, ConfigError, loadConfig } from '../../src/config/index.js';
import { settingNames } from '../../src/config/tables/settings.js';

const directory = mkdtempSync(join(tmpdir(), 'carillon-config-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const around = { systemHostname: 'Box.Example', workingDirectory: '/srv/app', isTerminal: false };
const load = (env: Record<string, string | undefined> = {}): Config => loadConfig({ ...around, env });
const secret = 'sixteen characters at least';

function problemsOf(env: Record<string, string>, file?: string): readonly string[] {
  try {
    loadConfig({ ...around, env, ...(file === undefined ? {} : { file }) });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

function fileWith(content: unknown): string {
  const path = join(directory, 'config.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('defaults', () => {
  test('nothing given: an all-in-one node on loopback', () => {
    expect(load()).toEqual({
      accounts: defaultAccountSettings,
      roles: { primary: true, worker: true },
      http: { host: '127.0.0.1', port: 3012, publicUrl: undefined, maxBodyBytes: 33_554_432 },
      redis: { url: undefined, prefix: 'carillon', serverPath: undefined },
      dataDir: '/srv/app/data',
      logArchive: { kind: 'directory', path: '/srv/app/data/log-archive' },
      hostname: 'box.example',
      groups: [],
      clusterSecret: undefined,
      bootstrapApiKey: undefined,
      leaseTtlMs: 2500,
      nonPrimary: 'redirect',
      lateWindowSec: 90,
      drainGraceMs: 30_000,
      workerSlots: 0,
      log: { level: 'info', format: 'json' },
      jobDefaults: {
        expireDays: 180,
        historyRows: 10_000,
        maxJobs: 0,
        eventUpdatesFromJobs: false,
        manualJobsTracked: false,
        killTimeoutMs: 10_000,
        deadJobTimeoutMs: 120_000,
        limits: {
          memoryBytes: 1_073_741_824,
          memorySustainSec: 0,
          cpuPercent: 0,
          cpuSustainSec: 0,
          cpuGraceSec: 5,
          logBytes: 0,
        },
        env: {},
      },
      baseAppUrl: undefined,
      notices: expect.any(Object),
      warnings: [],
    });
  });

  test('a terminal gets text, unless told otherwise', () => {
    expect(loadConfig({ ...around, isTerminal: true, env: {} }).log.format).toBe('text');
    expect(loadConfig({ ...around, isTerminal: true, env: { CARILLON_LOG_FORMAT: 'json' } }).log.format).toBe(
      'json',
    );
  });

  test('the result is frozen to the bottom', () => {
    const config = load();
    for (const part of [config, config.http, config.groups, config.jobDefaults.env, config.warnings]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  test('empty variables count as not given', () => {
    expect(load(Object.fromEntries(settingNames.map((name) => [name, ' '])))).toEqual(load());
  });
});

describe('good values', () => {
  const cases: [Record<string, string>, (config: Config) => unknown, unknown][] = [
    [{ CARILLON_ROLES: 'primary' }, (c) => c.roles, { primary: true, worker: false }],
    [{ CARILLON_ROLES: ' worker , primary ,worker' }, (c) => c.roles, { primary: true, worker: true }],
    [{ CARILLON_HTTP_PORT: '1' }, (c) => c.http.port, 1],
    [{ CARILLON_HTTP_HOST: '127.3.2.1' }, (c) => c.http.host, '127.3.2.1'],
    [{ CARILLON_HTTP_HOST: '::1' }, (c) => c.http.host, '::1'],
    [{ CARILLON_PUBLIC_URL: 'https://a.example:1/x//' }, (c) => c.http.publicUrl, 'https://a.example:1/x'],
    [{ CARILLON_DATA_DIR: '../d' }, (c) => c.dataDir, '/srv/d'],
    [{ CARILLON_HOSTNAME: 'WEB-1.Lan' }, (c) => c.hostname, 'web-1.lan'],
    [{ CARILLON_GROUPS: 'web, db,,web' }, (c) => c.groups, ['web', 'db']],
    [
      { CARILLON_REDIS_URL: 'rediss://:pw@r.example:6380/2' },
      (c) => c.redis.url,
      'rediss://:pw@r.example:6380/2',
    ],
    [{ CARILLON_REDIS_URL: 'unix:/run/r.sock' }, (c) => c.redis.url, 'unix:/run/r.sock'],
    [{ CARILLON_REDIS_SERVER: 'valkey-server' }, (c) => c.redis.serverPath, 'valkey-server'],
    [{ CARILLON_REDIS_SERVER: 'bin/redis-server' }, (c) => c.redis.serverPath, '/srv/app/bin/redis-server'],
    [{ CARILLON_BOOTSTRAP_API_KEY: 'AB'.repeat(16) }, (c) => c.bootstrapApiKey, 'ab'.repeat(16)],
    [{ CARILLON_REDIS_URL: 'redis://r' }, (c) => c.logArchive, { kind: 'redis' }],
    [{ CARILLON_DATA_DIR: '/d' }, (c) => c.logArchive, { kind: 'directory', path: '/d/log-archive' }],
    [{ CARILLON_LOG_ARCHIVE: 'redis' }, (c) => c.logArchive, { kind: 'redis' }],
    [
      { CARILLON_LOG_ARCHIVE: 'dir:/mnt/a b', CARILLON_REDIS_URL: 'redis://r' },
      (c) => c.logArchive,
      { kind: 'directory', path: '/mnt/a b' },
    ],
    [{ CARILLON_LOG_ARCHIVE: 'dir:x' }, (c) => c.logArchive, { kind: 'directory', path: '/srv/app/x' }],
    [
      { CARILLON_LOG_ARCHIVE: 's3://logs' },
      (c) => c.logArchive,
      { kind: 's3', bucket: 'logs', prefix: '', endpoint: undefined, region: undefined },
    ],
    [
      { CARILLON_LOG_ARCHIVE: 's3://my.logs-1//a/b?region=eu-west-1&endpoint=http://[::1]:9000/' },
      (c) => c.logArchive,
      { kind: 's3', bucket: 'my.logs-1', prefix: 'a/b/', endpoint: 'http://[::1]:9000', region: 'eu-west-1' },
    ],
    [{ CARILLON_DRAIN_GRACE: '5' }, (c) => c.drainGraceMs, 5000],
    [{ CARILLON_URL: 'x', CARILLON_API_KEY: 'y', CARILLON_RUN: 'z' }, (c) => c.warnings, []],
  ];
  test.each(cases)('%j', (env, pick, expected) => {
    expect(pick(load(env))).toEqual(expected);
  });
});

describe('bad values are named', () => {
  const cases: [string, string][] = [
    ['CARILLON_ROLES', 'primary,wroker'],
    ['CARILLON_ROLES', ','],
    ['CARILLON_HTTP_PORT', '0'],
    ['CARILLON_HTTP_PORT', '65536'],
    ['CARILLON_HTTP_PORT', '30.5'],
    ['CARILLON_HTTP_PORT', '0x10'],
    ['CARILLON_HTTP_HOST', 'http://x'],
    ['CARILLON_PUBLIC_URL', 'ftp://x'],
    ['CARILLON_PUBLIC_URL', 'http://user@x'],
    ['CARILLON_MAX_BODY_BYTES', '-1'],
    ['CARILLON_HOSTNAME', 'a b'],
    ['CARILLON_GROUPS', 'web,d-b'],
    ['CARILLON_REDIS_URL', 'http://redis'],
    ['CARILLON_REDIS_PREFIX', '{a}'],
    ['CARILLON_LEASE_TTL_MS', '10'],
    ['CARILLON_NON_PRIMARY', 'proxy'],
    ['CARILLON_LATE_WINDOW', '1e3'],
    ['CARILLON_DRAIN_GRACE', 'soon'],
    ['CARILLON_LOG_LEVEL', 'trace'],
    ['CARILLON_LOG_FORMAT', 'xml'],
    ['CARILLON_WORKER_SLOTS', 'all'],
    ['CARILLON_BOOTSTRAP_API_KEY', 'short'],
    ['CARILLON_CLUSTER_SECRET', 'short'],
    ['CARILLON_LOG_ARCHIVE', 'disk'],
    ['CARILLON_LOG_ARCHIVE', '/var/log'],
    ['CARILLON_LOG_ARCHIVE', 'dir:'],
    ['CARILLON_LOG_ARCHIVE', 's3://'],
    ['CARILLON_LOG_ARCHIVE', 's3://No_Bucket'],
    ['CARILLON_LOG_ARCHIVE', 's3://logs?endpoint=ftp://x'],
    ['CARILLON_LOG_ARCHIVE', 's3://logs?endpoint=http://user:secret@x'],
    ['CARILLON_LOG_ARCHIVE', 's3://logs?regoin=x'],
    ['CARILLON_LOG_ARCHIVE', 's3://logs?region=a&region=b'],
  ];
  test.each(cases)('%s=%s', (name, value) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name}: expected `));
  });

  test('all at once, in one error', () => {
    const env = {
      CARILLON_HTTP_PORT: 'x',
      CARILLON_LOG_LEVEL: 'y',
      CARILLON_HTPP_HOST: '::',
      CARILLON_ZZZZZZZ: '',
    };
    expect(problemsOf(env)).toEqual([
      'CARILLON_HTPP_HOST: unknown setting (did you mean CARILLON_HTTP_HOST?)',
      'CARILLON_ZZZZZZZ: unknown setting',
      'CARILLON_HTTP_PORT: expected a port from 1 to 65535, got "x"',
      'CARILLON_LOG_LEVEL: expected `error`, `warn`, `info` or `debug`, got "y"',
    ]);
    expect(() => load(env)).toThrow(/wrong in 4 places:\n {2}- CARILLON_HTPP_HOST/);
  });

  test('a bad secret is not repeated', () => {
    expect(() => load({ CARILLON_CLUSTER_SECRET: 'hunter2' })).toThrow(
      /^(?!.*hunter2)[^]*CARILLON_CLUSTER_SECRET: expected at least 16 characters, got something else/,
    );
  });

  test('any text in any variable: a config, or an error that names the variable', () => {
    fc.assert(
      fc.property(fc.constantFrom(...settingNames), fc.string({ unit: 'grapheme' }), (name, value) => {
        const problems = problemsOf({ [name]: value });
        expect(problems.every((problem) => /^CARILLON_\w+: /.test(problem))).toBe(true);
      }),
    );
  });
});

describe('rules between settings', () => {
  const remote = { CARILLON_HTTP_HOST: '0.0.0.0', CARILLON_PUBLIC_URL: 'http://a:3012' };
  test.each(['0.0.0.0', '::', '10.1.2.3', 'box.example', '127.0.0.1.example.com'])(
    'listening on %s needs the cluster secret',
    (host) => {
      expect(problemsOf({ CARILLON_HTTP_HOST: host })).toEqual([
        expect.stringMatching(/^CARILLON_CLUSTER_SECRET: needed to listen beyond this machine/),
      ]);
      expect(problemsOf({ CARILLON_HTTP_HOST: host, CARILLON_CLUSTER_SECRET: secret })).toEqual([]);
    },
  );

  test('a worker needs a Redis and the secret, whatever its host setting', () => {
    const env = { ...remote, CARILLON_ROLES: 'worker' };
    expect(problemsOf(env).map((problem) => problem.split(':')[0])).toEqual([
      'CARILLON_REDIS_URL',
      'CARILLON_CLUSTER_SECRET',
    ]);
    expect(problemsOf({ ...env, CARILLON_REDIS_URL: 'redis://r', CARILLON_CLUSTER_SECRET: secret })).toEqual(
      [],
    );
  });

  test('the endpoint of the log archive is a URL', () => {
    expect(problemsOf({ CARILLON_LOG_ARCHIVE: 's3://logs?endpoint=http://:::' })).toEqual([
      'CARILLON_LOG_ARCHIVE: its endpoint is not a URL: http://:::',
    ]);
  });

  test('doubtful combinations are accepted with a warning', () => {
    expect(load({ CARILLON_ROLES: 'primary' }).warnings).toEqual([
      expect.stringMatching(/can have no workers/),
    ]);
    const shared = { CARILLON_REDIS_URL: 'redis://r', CARILLON_CLUSTER_SECRET: secret };
    expect(load({ ...shared, CARILLON_HTTP_HOST: '0.0.0.0' }).warnings).toEqual([
      expect.stringMatching(/^CARILLON_PUBLIC_URL is not set.*box\.example/),
    ]);
    expect(load({ ...shared, ...remote }).warnings).toEqual([]);
  });
});

describe("the file with Cronicle's settings", () => {
  test('honoured keys take effect, known others are reported', () => {
    const file = fileWith({
      job_data_expire_days: 30,
      list_row_max: 500,
      max_jobs: 7,
      allow_event_updates_from_jobs: 1,
      track_manual_jobs: true,
      child_kill_timeout: 2.5,
      dead_job_timeout: 60,
      job_memory_max: 0,
      job_memory_sustain: 10,
      job_cpu_max: 150,
      job_cpu_sustain: 20,
      job_log_max_size: 5000,
      job_env: { TZ: 'UTC', LEVEL: 3, ON: true },
      base_app_url: 'http://cron.example/',
      debug_level: 5,
      Storage: { engine: 'Filesystem' },
    });
    const config = load({ CARILLON_CONFIG: file });
    expect(config.jobDefaults).toEqual({
      expireDays: 30,
      historyRows: 500,
      maxJobs: 7,
      eventUpdatesFromJobs: true,
      manualJobsTracked: true,
      killTimeoutMs: 2500,
      deadJobTimeoutMs: 60_000,
      limits: {
        memoryBytes: 0,
        memorySustainSec: 10,
        cpuPercent: 150,
        cpuSustainSec: 20,
        cpuGraceSec: 5,
        logBytes: 5000,
      },
      env: { TZ: 'UTC', LEVEL: '3', ON: 'true' },
    });
    expect(config.baseAppUrl).toBe('http://cron.example');
    expect(config.warnings).toEqual([`Not used by this version (in ${file}): Storage, debug_level`]);
  });

  test('unknown keys and bad values are all named', () => {
    const file = fileWith(
      '{"max_job": 1, "list_row_max": 0, "job_env": {"A": []}, "__proto__": {"max_jobs": 1}}',
    );
    expect(problemsOf({ CARILLON_HTTP_PORT: 'x' }, file)).toEqual([
      'CARILLON_HTTP_PORT: expected a port from 1 to 65535, got "x"',
      `max_job (in ${file}): unknown setting (did you mean max_jobs?)`,
      `list_row_max (in ${file}): expected a whole number from 1 to 1000000, got 0`,
      `job_env (in ${file}): expected an object of texts, numbers or booleans by variable name, got {"A":[]}`,
      `__proto__ (in ${file}): unknown setting`,
    ]);
  });

  test.each([
    ['{', /^CARILLON_CONFIG: .* is not JSON: /],
    ['[]', /^CARILLON_CONFIG: .* must hold one JSON object$/],
    ['null', /^CARILLON_CONFIG: .* must hold one JSON object$/],
  ])('content %s is refused', (content, message) => {
    expect(problemsOf({}, fileWith(content))).toEqual([expect.stringMatching(message)]);
  });

  test('a missing file is refused, and relative to the working directory', () => {
    expect(problemsOf({ CARILLON_CONFIG: 'no/such.json' })).toEqual([
      expect.stringMatching(/^CARILLON_CONFIG: cannot read the file \/srv\/app\/no\/such\.json: /),
    ]);
  });
});
