import { shownUrl } from '@carillon/core';
import type { Config } from './config.js';
import { showLogArchivePlace } from './log-archive-place.js';
import { type SettingName, settingNames } from './tables/settings.js';

const mask = (secret: string | undefined): string | undefined =>
  secret === undefined ? undefined : '********';

/** The URL with its password masked, as it may be printed and logged. */
export function maskUrl(url: string | undefined): string | undefined {
  return url
    ?.replace(/^(\w+:\/\/[^@/:]*:).*@/, '$1********@')
    .replace(/([?&]password=)[^&]*/gi, '$1********');
}

const effective: { readonly [Name in SettingName]: (config: Config) => string | number | undefined } = {
  CARILLON_ROLES: ({ roles }) =>
    [...(roles.primary ? ['primary'] : []), ...(roles.worker ? ['worker'] : [])].join(','),
  CARILLON_DATA_DIR: (config) => config.dataDir,
  CARILLON_LOG_ARCHIVE: (config) => showLogArchivePlace(config.logArchive),
  CARILLON_HOSTNAME: (config) => config.hostname,
  CARILLON_GROUPS: (config) => config.groups.join(','),
  CARILLON_WORKER_SLOTS: (config) => config.workerSlots,
  CARILLON_CONFIG: () => undefined,
  CARILLON_HTTP_HOST: (config) => config.http.host,
  CARILLON_HTTP_PORT: (config) => config.http.port,
  CARILLON_PUBLIC_URL: (config) => config.http.publicUrl,
  CARILLON_MAX_BODY_BYTES: (config) => config.http.maxBodyBytes,
  CARILLON_NON_PRIMARY: (config) => config.nonPrimary,
  CARILLON_REDIS_URL: (config) => maskUrl(config.redis.url),
  CARILLON_REDIS_PREFIX: (config) => config.redis.prefix,
  CARILLON_REDIS_SERVER: (config) => config.redis.serverPath,
  CARILLON_CLUSTER_SECRET: (config) => mask(config.clusterSecret),
  CARILLON_BOOTSTRAP_API_KEY: (config) => mask(config.bootstrapApiKey),
  CARILLON_LEASE_TTL_MS: (config) => config.leaseTtlMs,
  CARILLON_LATE_WINDOW: (config) => config.lateWindowSec,
  CARILLON_DRAIN_GRACE: (config) => config.drainGraceMs / 1000,
  CARILLON_LOG_LEVEL: (config) => config.log.level,
  CARILLON_LOG_FORMAT: (config) => config.log.format,
};

/**
 * The effective values for people, one `NAME=value` a line: first the environment, then Cronicle's settings, then
 * the warnings. Secrets and passwords are masked; the values of `job_env` too, since they may be secrets.
 */
export function describeConfig(config: Config): string {
  const { jobDefaults } = config;
  const lines = settingNames
    // The file's own path is not kept; what it says is printed below.
    .filter((name) => name !== 'CARILLON_CONFIG')
    .map((name) => `${name}=${effective[name](config) ?? ''}`);
  const environment = Object.keys(jobDefaults.env).map((name) => `${name}=********`);
  lines.push(
    '',
    `job_data_expire_days=${jobDefaults.expireDays}`,
    `list_row_max=${jobDefaults.historyRows}`,
    `max_jobs=${jobDefaults.maxJobs}`,
    `allow_event_updates_from_jobs=${jobDefaults.eventUpdatesFromJobs}`,
    `track_manual_jobs=${jobDefaults.manualJobsTracked}`,
    `child_kill_timeout=${jobDefaults.killTimeoutMs / 1000}`,
    `dead_job_timeout=${jobDefaults.deadJobTimeoutMs / 1000}`,
    `job_memory_max=${jobDefaults.limits.memoryBytes}`,
    `job_memory_sustain=${jobDefaults.limits.memorySustainSec}`,
    `job_cpu_max=${jobDefaults.limits.cpuPercent}`,
    `job_cpu_sustain=${jobDefaults.limits.cpuSustainSec}`,
    `job_startup_grace=${jobDefaults.limits.cpuGraceSec}`,
    `job_log_max_size=${jobDefaults.limits.logBytes}`,
    `job_env=${environment.join(' ')}`,
    `base_app_url=${config.baseAppUrl ?? ''}`,
    ...describeNotices(config.notices),
    ...describeAccounts(config.accounts),
  );
  if (config.warnings.length > 0) lines.push('', ...config.warnings.map((warning) => `warning: ${warning}`));
  return lines.join('\n');
}

function describeAccounts(accounts: Config['accounts']): string[] {
  return [
    `User.session_expire_days=${accounts.sessionExpireDays}`,
    `User.max_failed_logins_per_hour=${accounts.maxFailedLoginsPerHour}`,
    `User.max_forgot_passwords_per_hour=${accounts.maxForgotPasswordsPerHour}`,
    `User.self_delete=${accounts.selfDelete}`,
    `User.default_privileges=${JSON.stringify(accounts.defaultPrivileges)}`,
  ];
}

/** Without what may be a credential: options of the mail server, custom data, header suffixes. */
function describeNotices({ smtp, maxEmailsPerDay, hooks, mail }: Config['notices']): string[] {
  const masked = (values: object) => Object.keys(values).map((name) => `${name}=********`);
  return [
    `email_from=${mail.from}`,
    `smtp_hostname=${smtp.host}`,
    `smtp_port=${smtp.port}`,
    `mail_options=${masked(smtp.options).join(' ')}`,
    `max_emails_per_day=${maxEmailsPerDay}`,
    `email_on_manual_abort=${mail.onManualAbort}`,
    `universal_web_hook=${shownUrl(hooks.universal)}`,
    `web_hook_text_templates=${JSON.stringify(hooks.texts)}`,
    `web_hook_custom_data=${masked(hooks.customData).join(' ')}`,
    `web_hook_custom_opts=${JSON.stringify(hooks.options)}`,
    `web_hook_config_keys=${Object.keys(hooks.configValues).join(',')}`,
  ];
}
