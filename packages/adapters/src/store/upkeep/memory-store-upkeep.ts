import type { HistoryRow, JobFields } from '@carillon/contract';
import { FencedError, type OldestRows, type RecordEnd, type Session, type StoreUpkeep } from '@carillon/core';
import type { MemoryStoreBoard } from '../memory-store-board.js';

/** Upkeep over a shared board. See `StoreUpkeep` for the guarantees. */
export class MemoryStoreUpkeep implements StoreUpkeep {
  readonly #board: MemoryStoreBoard;
  readonly #reach: (session?: Session) => void;

  /** `reach` throws what stands between this node and the board. */
  constructor(board: MemoryStoreBoard, reach: (session?: Session) => void) {
    this.#board = board;
    this.#reach = reach;
  }

  async trimHistory(
    session: Session,
    event: string | undefined,
    rowMax: number,
    atMost: number,
  ): Promise<number> {
    this.#enter(session);
    const { length } = this.#board.history(event);
    const over = Math.min(atMost, Math.max(0, length - rowMax));
    this.#board.filterHistory(event, (_row, index) => index < length - over);
    return over;
  }

  async readOldest(event: string | undefined, place: OldestRows): Promise<HistoryRow[]> {
    this.#reach();
    const { from, to } = this.#window(event, place);
    return structuredClone(this.#board.history(event).slice(from, to).reverse());
  }

  async removeRows(
    session: Session,
    event: string | undefined,
    place: OldestRows,
    rows: readonly HistoryRow[],
  ): Promise<number> {
    this.#enter(session);
    const ids = new Set(rows.map((row) => row.id));
    const { from, to } = this.#window(event, place);
    const before = this.#board.history(event).length;
    this.#board.filterHistory(event, (row, index) => index < from || index >= to || !ids.has(row.id));
    return before - this.#board.history(event).length;
  }

  async readRecords(
    cursor: string | undefined,
    limit: number,
  ): Promise<{ records: JobFields[]; next: string | undefined }> {
    this.#reach();
    const rest = this.#board
      .recordIds()
      .sort()
      .filter((id) => cursor === undefined || id > cursor);
    const ids = rest.slice(0, limit);
    const records = ids.flatMap((id) => this.#board.readJob(id) ?? []);
    return { records, next: rest.length > limit ? ids.at(-1) : undefined };
  }

  async keepRecords(session: Session, ends: readonly RecordEnd[]): Promise<void> {
    this.#enter(session);
    for (const { job, untilSec } of ends) this.#board.keepRecord(job, untilSec);
  }

  async readExpireDays(): Promise<number | undefined> {
    this.#reach();
    return this.#board.expireDays;
  }

  async noteExpireDays(session: Session, days: number): Promise<void> {
    this.#enter(session);
    this.#board.expireDays = days;
  }

  #window(event: string | undefined, { skip, limit }: OldestRows): { from: number; to: number } {
    const to = Math.max(0, this.#board.history(event).length - skip);
    return { from: Math.max(0, to - limit), to };
  }

  #enter(session: Session): void {
    this.#reach(session);
    if (!this.#board.isPresent(session.term)) throw new FencedError(session.term);
  }
}
