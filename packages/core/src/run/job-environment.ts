import type { JobFields } from '@carillon/contract';
import type { UserInfo } from '../ports/process/process-launcher.js';

export type Environment = Record<string, string>;

/** Linux refuses to start a program with a longer `NAME=VALUE` (MAX_ARG_STRLEN, with its end mark). */
const maxEntryBytes = 131_071;

export interface JobEnvironmentInput {
  /** Already scrubbed: see `scrubEnvironment`. */
  base: Readonly<Environment>;
  /** With `log_file`; its `env` is the plugin's. */
  job: JobFields;
  /** Version of Carillon. */
  version: string;
  /** Working directory of the process. */
  cwd: string;
  /** Distinguishes the processes of this run from all others on the machine. */
  marker: string;
  /** Set when the plugin names a user. */
  user?: Pick<UserInfo, 'username' | 'home' | 'shell'>;
}

/**
 * The worker's own environment without what jobs must not see: every `CARILLON_*` variable (connection
 * strings and secrets among them), the names given, and what no process could be given.
 */
export function scrubEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  hidden: readonly string[] = [],
): Environment {
  const names = new Set(hidden);
  const clean: Environment = emptyEnvironment();
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || names.has(name) || name.toUpperCase().startsWith('CARILLON_')) continue;
    set(clean, name, value);
  }
  return clean;
}

/**
 * The whole environment of a job's process; later wins: base, plugin `env`, the system's names, one `JOB_…` for
 * each top-level text, number or boolean of the job, the user's names, one variable per parameter with `$NAME`
 * replaced (behaviour reference 6.2). `JOB_SOURCE` is `Scheduler` for scheduled jobs. What cannot be an
 * environment variable (NUL, `=` in a name, more than 128 kB) is left out.
 */
export function jobEnvironment(input: JobEnvironmentInput): Environment {
  const { job, user } = input;
  const environment: Environment = Object.assign(emptyEnvironment(), input.base);
  for (const [name, value] of Object.entries(job.env ?? {})) set(environment, name, String(value));
  set(environment, 'CARILLON', input.version);
  set(environment, 'CRONICLE', input.version);
  set(environment, 'CARILLON_RUN', input.marker);
  set(environment, 'JOB_SOURCE', 'Scheduler');
  set(environment, 'JOB_LOG', job.log_file ?? '');
  set(environment, 'PWD', input.cwd);
  for (const [key, value] of Object.entries(job)) {
    const text = scalarText(value);
    if (text === undefined || (key === 'source' && text === '')) continue;
    set(environment, `JOB_${key.toUpperCase()}`, text);
  }
  if (user !== undefined) {
    set(environment, 'USER', user.username);
    set(environment, 'USERNAME', user.username);
    set(environment, 'HOME', user.home);
    set(environment, 'SHELL', user.shell);
  }
  for (const [name, value] of Object.entries(job.params)) {
    set(environment, name.toUpperCase(), expandVariables(parameterText(value), environment));
  }
  return environment;
}

/** Replaces `$NAME` from the environment (unknown: empty); `\$NAME` becomes the literal `$NAME`. */
export function expandVariables(text: string, environment: Readonly<Environment>): string {
  if (!text.includes('$')) return text;
  return text.replace(/(\\?)\$(\w+)/g, (_match, escape: string, name: string) => {
    if (escape !== '') return `$${name}`;
    return Object.hasOwn(environment, name) ? (environment[name] ?? '') : '';
  });
}

/** No prototype: a parameter may have any name. */
function emptyEnvironment(): Environment {
  const empty: Environment = Object.create(null);
  return empty;
}

function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  return typeof value === 'boolean' ? (value ? '1' : '0') : undefined;
}

function parameterText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function set(environment: Environment, name: string, value: string): void {
  if (name === '' || name.includes('=') || name.includes('\0') || value.includes('\0')) return;
  // A UTF-16 unit is at most 3 bytes of UTF-8; only long values are worth measuring.
  const units = name.length + value.length + 2;
  if (units * 3 > maxEntryBytes && utf8Length(name) + utf8Length(value) + 2 > maxEntryBytes) return;
  environment[name] = value;
}

const encoder = new TextEncoder();

function utf8Length(text: string): number {
  return encoder.encode(text).length;
}
