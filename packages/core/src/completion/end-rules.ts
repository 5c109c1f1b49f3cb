import type { AbortKind } from '@carillon/contract';

/**
 * How a job came to its end: its process ended by itself; it was aborted, for one of several reasons; it was lost with its
 * worker; or it could never be started.
 */
export type EndKind = AbortKind | 'exit' | 'lost' | 'unlaunchable';

/** What follows from the end of a failed job, beside its record, its history row and its web hooks. */
export interface EndRule {
  /** It is started once more while it has retries. */
  readonly retry: boolean;
  /** The minute of a scheduled catch-up job is made up again. */
  readonly rewind: boolean;
  /** `notify_fail` gets a mail. */
  readonly failMail: boolean;
  /** `chain_error` is launched. */
  readonly chainError: boolean;
}

/**
 * The table of behaviour reference 5.10 and 5.12, with one difference: a lost job with retries is tried again on another
 * server (product decision "Delivery").
 */
export const endRules: Readonly<Record<EndKind, EndRule>> = {
  exit: { retry: true, rewind: false, failMail: true, chainError: true },
  manual: { retry: false, rewind: false, failMail: false, chainError: false },
  bulk: { retry: false, rewind: true, failMail: false, chainError: false },
  disabled: { retry: false, rewind: true, failMail: true, chainError: false },
  timeout: { retry: false, rewind: false, failMail: true, chainError: true },
  memory: { retry: false, rewind: true, failMail: true, chainError: true },
  cpu: { retry: false, rewind: true, failMail: true, chainError: true },
  log: { retry: false, rewind: true, failMail: true, chainError: true },
  shutdown: { retry: false, rewind: true, failMail: true, chainError: false },
  lost: { retry: true, rewind: true, failMail: true, chainError: true },
  unlaunchable: { retry: false, rewind: false, failMail: true, chainError: true },
};
