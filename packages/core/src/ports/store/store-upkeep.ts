import type { HistoryRow, JobFields } from '@carillon/contract';
import type { Session } from '../lease.js';

/** Rows of a history list by their age: the oldest `skip` are passed over. */
export interface OldestRows {
  /** From 0. */
  skip: number;
  /** At least 1. */
  limit: number;
}

/** When the record of a completed job comes to its end. */
export interface RecordEnd {
  job: string;
  /** Unix seconds; the past ends it at once. */
  untilSec: number;
}

/**
 * What keeps the durable truth from growing for ever. Each call is a small step that never blocks the store for long.
 * Writes are fenced (FencedError, nothing written), harmless when repeated, and not part of the sequence of commits: one
 * that fails says nothing about the memory of the primary. `event`: the list of one event, or of all when undefined.
 */
export interface StoreUpkeep {
  /** Takes the oldest rows beyond `rowMax` off a list, at most `atMost` of them. Answers how many. */
  trimHistory(session: Session, event: string | undefined, rowMax: number, atMost: number): Promise<number>;
  /** Oldest first. A list that grows meanwhile changes nothing about the places of its oldest rows. */
  readOldest(event: string | undefined, place: OldestRows): Promise<HistoryRow[]>;
  /** Removes those of the given rows that are still at that place, and answers how many. */
  removeRows(
    session: Session,
    event: string | undefined,
    place: OldestRows,
    rows: readonly HistoryRow[],
  ): Promise<number>;
  /**
   * About `limit` records of completed jobs, in no order, `next` being the cursor of the following call; begins without
   * one. A record that exists all the time is seen at least once when `next` is undefined.
   */
  readRecords(
    cursor: string | undefined,
    limit: number,
  ): Promise<{ records: JobFields[]; next: string | undefined }>;
  /** Moves the ends of records, those in `ends` that still exist. */
  keepRecords(session: Session, ends: readonly RecordEnd[]): Promise<void>;
  /** The days noted last; undefined when never. */
  readExpireDays(): Promise<number | undefined>;
  /** Notes that everything kept is kept according to so many days. */
  noteExpireDays(session: Session, days: number): Promise<void>;
}
