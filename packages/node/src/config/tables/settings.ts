import type { TSchema } from 'typebox';
import { Type } from '@carillon/contract';
import { logArchivePattern } from '../log-archive-place.js';
import { protectionSettings } from './protection-settings.js';

/** How the text of an environment variable becomes a value: `list` splits at commas and drops empty parts. */
export type Reading = 'text' | 'lower-case text' | 'integer' | 'list';

/** One setting of a node: the source of validation, of the command's options, of the docs and of `.env.example`. */
export interface Setting {
  readonly group: 'Node' | 'HTTP' | 'Redis' | 'Cluster' | 'Scheduling' | 'Log';
  readonly reading: Reading;
  readonly schema: TSchema;
  /** What a good value is, in words: "expected …". */
  readonly expects: string;
  /** The default in words; absent when there is none. */
  readonly preset?: string;
  readonly about: string;
  /** Option of `carillon start`; absent for secrets, which other users could read from the process list. */
  readonly option?: string;
  /** Never printed. */
  readonly secret?: true;
  /** May hold a password: a bad value is not repeated. */
  readonly credentials?: true;
  /** Value shown in `.env.example`, where no default is. */
  readonly example?: string;
}

const count = (minimum: number, maximum: number) => Type.Integer({ minimum, maximum });
const word = Type.String({ pattern: '^\\w+$', maxLength: 64 });

/** Every environment variable of a node (product table "Environment"). */
export const settings = {
  CARILLON_ROLES: {
    group: 'Node',
    reading: 'list',
    schema: Type.Array(Type.Union([Type.Literal('primary'), Type.Literal('worker')]), { minItems: 1 }),
    expects: '`primary`, `worker` or `primary,worker`',
    preset: 'primary,worker',
    about: 'What this node does: serve the API and stand for primary, run jobs, or both.',
    option: '--roles',
  },
  CARILLON_DATA_DIR: {
    group: 'Node',
    reading: 'text',
    schema: Type.String({ minLength: 1, maxLength: 4096, pattern: '^[^\\0]*$' }),
    expects: 'a directory',
    preset: './data',
    about: 'Node id, running logs and, with the embedded Redis, all data. Relative to the working directory.',
    option: '--data-dir',
  },
  CARILLON_LOG_ARCHIVE: {
    group: 'Node',
    reading: 'text',
    schema: Type.String({ pattern: logArchivePattern, maxLength: 4096 }),
    expects: '`redis`, `dir:/path` or `s3://bucket/prefix?endpoint=https://…&region=…`',
    preset: '`redis` with CARILLON_REDIS_URL, else the directory `log-archive` in the data directory',
    about:
      'Where the logs of completed jobs are kept, the same on all nodes; docs/logs.md compares the three. ' +
      'The credentials for S3 come from the usual variables and files of AWS.',
    option: '--log-archive',
    example: 's3://my-bucket/carillon?region=eu-central-1',
  },
  CARILLON_HOSTNAME: {
    group: 'Node',
    reading: 'lower-case text',
    schema: Type.String({ pattern: '^[\\w\\-.]+$', maxLength: 255 }),
    expects: 'a host name: letters, digits, `-`, `_` and `.`',
    preset: "the system's host name",
    about: 'Name of this node in targets, jobs and history. A label, not an identity.',
    option: '--hostname',
  },
  CARILLON_GROUPS: {
    group: 'Node',
    reading: 'list',
    schema: Type.Array(word, { maxItems: 256 }),
    expects: 'group ids of letters, digits and `_`, separated by commas',
    about: 'Server groups this worker declares itself a member of.',
    option: '--groups',
    example: 'web,db',
  },
  CARILLON_WORKER_SLOTS: {
    group: 'Node',
    reading: 'integer',
    schema: count(0, 1_000_000),
    expects: 'a whole number from 0 to 1000000',
    preset: '0',
    about: 'Most jobs this worker runs at one time; 0 = no limit.',
    option: '--worker-slots',
  },
  CARILLON_CONFIG: {
    group: 'Node',
    reading: 'text',
    schema: Type.String({ minLength: 1, maxLength: 4096, pattern: '^[^\\0]*$' }),
    expects: 'the path of a JSON file',
    about: "JSON file with Cronicle's own settings; docs/configuration.md lists those that are honoured.",
    option: '--config',
    example: './config.json',
  },
  CARILLON_HTTP_HOST: {
    group: 'HTTP',
    reading: 'text',
    schema: Type.String({ pattern: '^[\\w\\-.:]+$', maxLength: 255 }),
    expects: 'an address or a host name to listen on, such as 0.0.0.0',
    preset: '127.0.0.1',
    about: 'Address the API listens on. Anything beyond loopback needs a cluster secret.',
    option: '--host',
  },
  CARILLON_HTTP_PORT: {
    group: 'HTTP',
    reading: 'integer',
    schema: count(1, 65_535),
    expects: 'a port from 1 to 65535',
    preset: '3012',
    about: 'Port the API listens on.',
    option: '--port',
  },
  CARILLON_PUBLIC_URL: {
    group: 'HTTP',
    reading: 'text',
    schema: Type.String({ pattern: '^https?://[^\\s/?#@]+(/[^\\s?#]*)?$', maxLength: 2048 }),
    expects: 'an http or https URL without user, query or fragment',
    preset: 'derived from host and port',
    about: 'Where other nodes, and redirected clients, reach this node.',
    option: '--public-url',
    example: 'http://primary-1:3012',
  },
  CARILLON_MAX_BODY_BYTES: {
    group: 'HTTP',
    reading: 'integer',
    schema: count(1024, 1_073_741_824),
    expects: 'a whole number from 1024 to 1073741824',
    preset: '33554432',
    about: 'Largest request body; a larger one is answered with HTTP 413.',
    option: '--max-body-bytes',
  },
  CARILLON_NON_PRIMARY: {
    group: 'HTTP',
    reading: 'text',
    schema: Type.Union([Type.Literal('redirect'), Type.Literal('forward')]),
    expects: '`redirect` or `forward`',
    preset: 'redirect',
    about:
      'What a node that is not the primary does with an API call: answer 302 with the address of the primary, ' +
      'or pass the call on and return the answer. Behind a load balancer use `forward`: many clients turn a ' +
      'redirected POST into a GET without its body.',
    option: '--non-primary',
  },
  ...protectionSettings,
  CARILLON_REDIS_URL: {
    group: 'Redis',
    reading: 'text',
    schema: Type.String({
      pattern: '^(rediss?(\\+sentinel|\\+cluster)?://\\S+|(unix:)?/\\S+)$',
      maxLength: 2048,
    }),
    expects:
      '`redis://host:port/db`, `redis+sentinel://host,host/name`, `redis+cluster://host,host`, each also `rediss…`, or ' +
      'the path of a socket (`unix:/path`)',
    about:
      'The Redis of the cluster: one server, the master that sentinels watch, or a Redis Cluster ([redis.md](redis.md)). ' +
      'Unset: the node starts and supervises a private one in its data directory.',
    credentials: true,
    option: '--redis-url',
    example: 'redis://localhost:6379/0',
  },
  CARILLON_REDIS_PREFIX: {
    group: 'Redis',
    reading: 'text',
    schema: Type.String({ pattern: '^[\\w\\-.]+$', maxLength: 64 }),
    expects: 'letters, digits, `-`, `_` and `.`',
    preset: 'carillon',
    about: 'First part of every key. Clusters that share one Redis need different prefixes.',
    option: '--redis-prefix',
  },
  CARILLON_REDIS_CA: {
    group: 'Redis',
    reading: 'text',
    schema: Type.String({ minLength: 1, maxLength: 4096, pattern: '^[^\\0]*$' }),
    expects: 'the path of a file with certificates (PEM)',
    preset: "the system's authorities",
    about: 'Authorities that may vouch for the servers and sentinels of a `rediss…` address.',
    option: '--redis-ca',
  },
  CARILLON_REDIS_REPLICAS: {
    group: 'Redis',
    reading: 'integer',
    schema: count(0, 16),
    expects: 'a whole number from 0 to 16',
    preset: '0',
    about:
      'So many replicas must have a write before it is acknowledged. With 0 a failover of Redis may lose what was ' +
      'acknowledged in its last moments. The same on all nodes.',
    option: '--redis-replicas',
  },
  CARILLON_REDIS_CHECK: {
    group: 'Redis',
    reading: 'text',
    schema: Type.Union([Type.Literal('refuse'), Type.Literal('warn')]),
    expects: '`refuse` or `warn`',
    preset: 'refuse',
    about:
      'What a node does at start about a Redis that is too old, deletes keys when memory runs out or keeps nothing on ' +
      'disk: refuse to start, or only report it.',
    option: '--redis-check',
  },
  CARILLON_REDIS_SERVER: {
    group: 'Redis',
    reading: 'text',
    schema: Type.String({ minLength: 1, maxLength: 4096, pattern: '^[^\\0]*$' }),
    expects: 'the path of a redis-server or valkey-server program',
    preset: '`redis-server` or `valkey-server` found on the PATH',
    about: 'Program of the private Redis. `./scripts/start` sets it when it had to fetch one.',
    option: '--redis-server',
  },
  CARILLON_CLUSTER_SECRET: {
    group: 'Cluster',
    reading: 'text',
    schema: Type.String({ minLength: 16, maxLength: 1024 }),
    expects: 'at least 16 characters',
    about:
      'Shared by all nodes: workers and primaries prove to each other that they know it. It is never sent.',
    secret: true,
  },
  CARILLON_BOOTSTRAP_API_KEY: {
    group: 'Cluster',
    reading: 'lower-case text',
    schema: Type.String({ pattern: '^[0-9a-f]{32}$' }),
    expects: '32 hexadecimal digits',
    preset: 'a random key, printed once and stored in the data directory',
    about: 'API key with all privileges, made when the cluster does not know it yet.',
    secret: true,
  },
  CARILLON_LEASE_TTL_MS: {
    group: 'Cluster',
    reading: 'integer',
    schema: count(500, 60_000),
    expects: 'a whole number from 500 to 60000',
    preset: '2500',
    about:
      'Life of the lease in milliseconds: about the time until another node takes over from a dead primary.',
    option: '--lease-ttl-ms',
  },
  CARILLON_LATE_WINDOW: {
    group: 'Scheduling',
    reading: 'integer',
    schema: count(0, 86_400),
    expects: 'a whole number of seconds from 0 to 86400',
    preset: '90',
    about: 'Minutes missed by no more than this many seconds still launch, late.',
    option: '--late-window',
  },
  CARILLON_DRAIN_GRACE: {
    group: 'Scheduling',
    reading: 'integer',
    schema: count(0, 86_400),
    expects: 'a whole number of seconds from 0 to 86400',
    preset: '30',
    about: 'Seconds that running jobs get to finish when a worker is told to stop; the rest are aborted.',
    option: '--drain-grace',
  },
  CARILLON_LOG_LEVEL: {
    group: 'Log',
    reading: 'text',
    schema: Type.Union([
      Type.Literal('error'),
      Type.Literal('warn'),
      Type.Literal('info'),
      Type.Literal('debug'),
    ]),
    expects: '`error`, `warn`, `info` or `debug`',
    preset: 'info',
    about: 'Least important messages that are logged.',
    option: '--log-level',
  },
  CARILLON_LOG_FORMAT: {
    group: 'Log',
    reading: 'text',
    schema: Type.Union([Type.Literal('text'), Type.Literal('json')]),
    expects: '`text` or `json`',
    preset: '`text` on a terminal, else `json`',
    about: 'Lines for people or for programs.',
    option: '--log-format',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof settings;

/** Names in the order of the table. */
export const settingNames = Object.keys(settings).filter(isSettingName);

/** True for a name of the table; never looks at prototypes. */
export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settings, name);
}

/** The entry of a name, without the narrow type of its literal. */
export function settingOf(name: SettingName): Setting {
  return settings[name];
}

/** Variables that start with the same prefix and belong to the client commands, to jobs or to scripts. */
export const foreignNames: readonly string[] = [
  'CARILLON_URL',
  'CARILLON_API_KEY',
  'CARILLON_CA',
  'CARILLON_RUN',
];
