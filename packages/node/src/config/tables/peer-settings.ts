import type { TSchema } from 'typebox';
import { Type } from '@carillon/contract';
import { accountSettings } from './account-settings.js';
import { noticeSettings } from './notice-settings.js';

/** A setting of Cronicle's configuration file that is honoured (behaviour reference 11.1). */
export interface PeerSetting {
  readonly schema: TSchema;
  readonly expects: string;
  /** Value when the file does not give one. */
  readonly preset: unknown;
  readonly about: string;
  /** May hold credentials: never printed. */
  readonly secret?: true;
}

const count = (minimum: number, maximum: number) => Type.Integer({ minimum, maximum });

/** The keys of the file that take effect. */
export const peerSettings = {
  job_data_expire_days: {
    schema: count(1, 36_500),
    expects: 'a whole number from 1 to 36500',
    preset: 180,
    about:
      'Days the record, the history row and the log of a completed job are kept, where the event does not say otherwise ' +
      '(`log_expire_days`). A change takes effect on what is already there; the same on all nodes, see docs/logs.md.',
  },
  list_row_max: {
    schema: count(1, 1_000_000),
    expects: 'a whole number from 1 to 1000000',
    preset: 10_000,
    about: 'Rows kept in each history list. A change takes effect on what is already there.',
  },
  max_jobs: {
    schema: count(0, 1_000_000),
    expects: 'a whole number from 0 to 1000000',
    preset: 0,
    about: 'Most jobs of the whole cluster at one time; 0 = no limit.',
  },
  allow_event_updates_from_jobs: {
    schema: Type.Union([Type.Boolean(), Type.Literal(0), Type.Literal(1)]),
    expects: 'true or false',
    preset: false,
    about: 'Plugins may change their own event by `update_event`.',
  },
  track_manual_jobs: {
    schema: Type.Union([Type.Boolean(), Type.Literal(0), Type.Literal(1)]),
    expects: 'true or false',
    preset: false,
    about: 'Jobs started by `run_event` are in the activity log as `job_run`.',
  },
  child_kill_timeout: {
    schema: Type.Number({ minimum: 0, maximum: 86_400 }),
    expects: 'a number of seconds from 0 to 86400',
    preset: 10,
    about: 'Seconds between SIGTERM and SIGKILL when a job is aborted.',
  },
  dead_job_timeout: {
    schema: Type.Number({ minimum: 1, maximum: 86_400 }),
    expects: 'a number of seconds from 1 to 86400',
    preset: 120,
    about: 'Seconds a worker may be silent before its jobs count as lost.',
  },
  job_memory_max: {
    schema: count(0, Number.MAX_SAFE_INTEGER),
    expects: 'a whole number of bytes',
    preset: 1_073_741_824,
    about:
      'Most memory of a job with all its processes, in bytes, where it has no limit of its own; 0 = no limit.',
  },
  job_memory_sustain: {
    schema: count(0, 31_536_000),
    expects: 'a whole number of seconds',
    preset: 0,
    about: 'Seconds `job_memory_max` may be exceeded without a break before the job is ended.',
  },
  job_cpu_max: {
    schema: count(0, 1_000_000),
    expects: 'a whole number from 0 to 1000000',
    preset: 0,
    about: 'Most CPU of a job, in percent of one core, where it has no limit of its own; 0 = no limit.',
  },
  job_cpu_sustain: {
    schema: count(0, 31_536_000),
    expects: 'a whole number of seconds',
    preset: 0,
    about: 'Seconds `job_cpu_max` may be exceeded without a break before the job is ended.',
  },
  job_startup_grace: {
    schema: count(0, 31_536_000),
    expects: 'a whole number of seconds',
    preset: 5,
    about: 'Seconds after its start in which the CPU limit of a job does not count.',
  },
  job_log_max_size: {
    schema: count(0, Number.MAX_SAFE_INTEGER),
    expects: 'a whole number of bytes',
    preset: 0,
    about: 'Largest log of a job, in bytes, where it has no limit of its own; 0 = no limit.',
  },
  job_env: {
    schema: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
    expects: 'an object of texts, numbers or booleans by variable name',
    preset: {},
    about: 'Environment variables for every job.',
  },
  base_app_url: {
    schema: Type.String({ pattern: '^(https?://[^\\s?#]+)?$', maxLength: 2048 }),
    expects: 'an http or https URL',
    preset: undefined,
    about: 'Base of the links in web hooks and e-mails; by default the URL of the primary.',
  },
  ...accountSettings,
  ...noticeSettings,
} as const satisfies Record<string, PeerSetting>;

export type PeerSettingName = keyof typeof peerSettings;

/** Names in the order of the table. */
export const peerSettingNames = Object.keys(peerSettings).filter(isPeerSettingName);

/** True for an honoured key; never looks at prototypes. */
export function isPeerSettingName(name: string): name is PeerSettingName {
  return Object.hasOwn(peerSettings, name);
}

/** The entry of a key, without the narrow type of its literal. */
export function peerSettingOf(name: PeerSettingName): PeerSetting {
  return peerSettings[name];
}

/** Keys that Cronicle knows and this version does not use (behaviour reference 11.1): accepted, and reported. */
export const unusedPeerSettings: readonly string[] = [
  'Storage',
  'WebServer',
  'broadcast_ip',
  'check_config_freq_ms',
  'client',
  'copy_job_logs_to',
  'custom_live_log_socket_url',
  'debug_level',
  'gzip_opts',
  'hostname',
  'ip',
  'log_archive_path',
  'log_columns',
  'log_crashes',
  'log_dir',
  'log_filename',
  'maintenance',
  'master_ping_freq',
  'master_ping_timeout',
  'max_clock_drift',
  'monitor_res_freq',
  'pid_file',
  'ps_monitor_cmd',
  'queue_dir',
  'remote_server_auth_window',
  'remote_server_port',
  'sanitize_html_config',
  'scheduler_startup_grace',
  'secret_key',
  'server_comm_use_hostnames',
  'socket_io_transports',
  'tick_precision_ms',
  'udp_broadcast_port',
  'uid',
  'web_direct_connect',
  'web_socket_use_hostnames',
];
