import type { AccountSettings, DefaultLimits } from '@carillon/core';
import type { LogArchivePlace } from './log-archive-place.js';
import type { NoticeConfig } from './notice-config.js';

/** Everything a node is told, checked and frozen. */
export interface Config {
  readonly roles: { readonly primary: boolean; readonly worker: boolean };
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** No trailing slash. */
    readonly publicUrl: string | undefined;
    readonly maxBodyBytes: number;
  };
  readonly redis: {
    /** Undefined: the node runs its own. */
    readonly url: string | undefined;
    readonly prefix: string;
    readonly serverPath: string | undefined;
  };
  /** Absolute. */
  readonly dataDir: string;
  readonly logArchive: LogArchivePlace;
  /** Lower-case. */
  readonly hostname: string;
  readonly groups: readonly string[];
  readonly clusterSecret: string | undefined;
  /** 32 hexadecimal digits, lower-case. */
  readonly bootstrapApiKey: string | undefined;
  readonly leaseTtlMs: number;
  readonly nonPrimary: 'redirect' | 'forward';
  readonly lateWindowSec: number;
  readonly drainGraceMs: number;
  /** 0 = no limit. */
  readonly workerSlots: number;
  readonly log: { readonly level: 'error' | 'warn' | 'info' | 'debug'; readonly format: 'text' | 'json' };
  readonly jobDefaults: {
    readonly expireDays: number;
    readonly historyRows: number;
    /** 0 = no limit. */
    readonly maxJobs: number;
    /** Jobs may change their event. */
    readonly eventUpdatesFromJobs: boolean;
    /** Jobs started through the API are in the activity log. */
    readonly manualJobsTracked: boolean;
    readonly killTimeoutMs: number;
    readonly deadJobTimeoutMs: number;
    /** For jobs that have no limits of their own. */
    readonly limits: Readonly<DefaultLimits>;
    readonly env: Readonly<Record<string, string>>;
  };
  readonly baseAppUrl: string | undefined;
  readonly notices: NoticeConfig;
  readonly accounts: AccountSettings;
  /** For the log at start: what was accepted and has no effect, or is probably not meant. */
  readonly warnings: readonly string[];
}

/** The configuration is wrong; `problems` names every unknown or bad value, one sentence each. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const head =
      problems.length === 1
        ? 'The configuration is wrong:'
        : `The configuration is wrong in ${problems.length} places:`;
    super([head, ...problems.map((problem) => `  - ${problem}`)].join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}
