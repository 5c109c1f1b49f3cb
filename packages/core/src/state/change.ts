import type {
  ApiKeyRecord,
  CategoryRecord,
  Delivery,
  DeliveryRow,
  EventRecord,
  HistoryRow,
  JobFields,
  MasterState,
  PluginRecord,
  RunRef,
  ServerGroupRecord,
  ServerRecord,
  SessionRecord,
  UserRecord,
} from '@carillon/contract';
import type { ActivityEntry } from '../ports/store/store.js';
import type { ActiveJob } from './active-job.js';

/** Records by table. */
export interface Tables {
  events: EventRecord;
  categories: CategoryRecord;
  plugins: PluginRecord;
  server_groups: ServerGroupRecord;
  api_keys: ApiKeyRecord;
  servers: ServerRecord;
  users: UserRecord;
  sessions: SessionRecord;
}
export type TableName = keyof Tables;
export const tableNames = [
  'events',
  'categories',
  'plugins',
  'server_groups',
  'api_keys',
  'servers',
  'users',
  'sessions',
] as const satisfies readonly TableName[];

type Put = {
  [T in TableName]: {
    type: 'put';
    table: T;
    /** Place in the table: larger is newer. Kept when a record is replaced. */
    seq: number;
    record: Tables[T];
    /** What the record was parsed from, if it was. */
    json?: string;
  };
}[TableName];

/** One of the lists of what is over: of all completed jobs, of those of one event, of activities, of deliveries. */
export type PastList =
  | { list: 'history' | 'activity' | 'deliveries' }
  | { list: 'event' /** Its id. */; event: string };

/** What is over and comes from elsewhere: nothing of it is in the memory of the primary. */
export type PastChange =
  /** Keeps the record of a job that completed elsewhere for `expireSec`, unless there is one of that id. */
  | { type: 'past-job'; record: JobFields; expireSec: number }
  /** Puts rows, newest first, behind the oldest of a list, which is kept to `rowMax` rows. */
  | { type: 'past-rows'; to: PastList; rows: readonly object[]; rowMax: number };

/** Totals that are also raised without the end of a job. */
export type CounterName = 'emails_sent' | 'jobs_failed';

/**
 * Everything the primary can do to the durable state: the one language of the memory of the primary
 * (`applyChange`) and of the store adapters. A commit is a list of changes.
 */
export type Change =
  | Put
  | { type: 'delete'; table: TableName; id: string }
  /** Scheduler switch. */
  | { type: 'switch'; enabled: 0 | 1 }
  /** All due launches up to and including this minute (Unix seconds) are done. */
  | { type: 'tick'; minute: number }
  /** This event is done up to and including this minute; null forgets it. */
  | { type: 'cursor'; event: string; minute: number | null }
  /** Minutes (Unix seconds, ascending) of this event to launch once more; replaces the list, an empty one forgets it. */
  | { type: 'redo'; event: string; minutes: readonly number[] }
  /** Next index of the round-robin algorithm. */
  | { type: 'robin'; event: string; index: number }
  /** Adds or replaces an active job. */
  | { type: 'job'; job: ActiveJob }
  /** Makes a run claimable by one node. The job must be active. */
  | { type: 'dispatch'; run: RunRef; node: string }
  /**
   * Ends a job: it stops being active, its run can no longer be claimed, its record is kept for `expireSec`,
   * its row is put in front of both history lists (kept to `rowMax` rows), and the totals of `day`
   * (YYYY-MM-DD) are raised.
   */
  | { type: 'finish'; record: JobFields; row: HistoryRow; expireSec: number; rowMax: number; day: string }
  /** Removes a queued job that never ran, without history. */
  | { type: 'forget-job'; id: string }
  /** Forgets the history of a deleted event, its cursor, minutes to redo and robin index. */
  | { type: 'forget-event'; event: string }
  | { type: 'activity'; entry: ActivityEntry; rowMax: number }
  /** Adds a web hook or an e-mail to the outbox: committed with whatever it tells about. */
  | { type: 'delivery'; delivery: Delivery }
  /**
   * Ends a delivery: it leaves the outbox, and its record is put in front of the list of deliveries (kept to `rowMax`
   * rows). Does nothing for one that is not in the outbox.
   */
  | { type: 'delivered'; id: string; row: DeliveryRow; rowMax: number }
  /** Raises one of the totals of `day` (YYYY-MM-DD) by itself. */
  | { type: 'count'; day: string; counter: CounterName; by: number }
  /** Sets the totals of `day` (YYYY-MM-DD), which becomes the present day. */
  | { type: 'totals'; day: string; totals: MasterState['stats'] }
  | PastChange
  /** Applies what `Store.stage` put aside under this name, `pieces` of them. Must be the first change of its commit. */
  | { type: 'staged'; stage: string; pieces: number }
  /** Copies the lists as they are after all earlier changes, for `Store.readCopy`; those of the given events as well. */
  | { type: 'copy-lists'; copy: string; events: readonly string[] };
