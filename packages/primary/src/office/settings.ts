import type { AccountSettings, NoticeSettings } from '@carillon/core';

/** Settings of the primary's services; names of Cronicle's own settings in brackets. */
export interface OfficeSettings {
  /** Minutes missed by less than this still launch, late. Seconds. */
  lateWindowSec: number;
  /** Zone for events without one and for the day of the totals; IANA name. */
  timezone: string;
  /** Days a completed job is kept (`job_data_expire_days`). */
  expireDays: number;
  /** Rows kept in each history list (`list_row_max`). */
  historyRows: number;
  /** Most jobs at one time, 0 = no limit (`max_jobs`). */
  maxJobs: number;
  /** Jobs may change their event (`allow_event_updates_from_jobs`). */
  eventUpdatesFromJobs: boolean;
  /** Jobs started through the API are in the activity log (`track_manual_jobs`). */
  manualJobsTracked: boolean;
  /** A worker unheard of for longer gets no new jobs. */
  silentAfterMs: number;
  /** A worker unheard of for longer has lost its jobs (`dead_job_timeout`). */
  deadJobTimeoutMs: number;
  /** Most e-mails a day, 0 = no limit (`max_emails_per_day`). */
  maxEmailsPerDay: number;
  /** What web hooks and e-mails say. */
  notices: NoticeSettings;
  accounts: AccountSettings;
}
