import type {
  Clock,
  ClusterState,
  CompletionContext,
  IdPrefix,
  JobQueue,
  Logger,
  LogArchive,
  Random,
  Session,
  Store,
} from '@carillon/core';
import type { Journal } from './journal.js';
import type { Meter } from './meter.js';
import type { OfficeSettings } from './settings.js';

/** What every leader service works with: one per term. */
export interface OfficeContext {
  readonly session: Session;
  readonly state: ClusterState;
  readonly journal: Journal;
  readonly store: Store;
  readonly queue: JobQueue;
  readonly archive: LogArchive;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly meter: Meter;
  readonly settings: OfficeSettings;
  readonly newId: (prefix: IdPrefix) => string;
  /** Today in the configured zone, YYYY-MM-DD. */
  readonly today: () => string;
}

/** Context of a completion that happens now. */
export function completionContext(office: OfficeContext): CompletionContext {
  return {
    nowMs: office.clock.nowMs(),
    day: office.today(),
    expireDays: office.settings.expireDays,
    rowMax: office.settings.historyRows,
  };
}
