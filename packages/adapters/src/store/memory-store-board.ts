import type { DeliveryRow, HistoryRow, JobFields, RunRef } from '@carillon/contract';
import {
  type ActivityEntry,
  type Change,
  type ClaimOutcome,
  ClusterState,
  type PastList,
  type Revocation,
  type TableName,
  tableNames,
} from '@carillon/core';
import type { MemoryLeaseBoard } from '../lease/memory-lease.js';
import { MemoryTransfers } from './transfer/memory-transfers.js';
import { refuseClaim, type RunEntry } from './run-entry.js';
import type { StoredState } from './stored-state.js';

/**
 * What several `MemoryStore`s and `MemoryRunClaims` share: the place of Redis in tests. Holds copies only, so that
 * nothing a caller changes afterwards reaches it. Terms are those of the lease board.
 */
export class MemoryStoreBoard {
  readonly #lease: MemoryLeaseBoard;
  readonly #truth = new ClusterState();
  readonly #runs = new Map<string, RunEntry>();
  readonly #records = new Map<string, { record: JobFields; endsAtMs: number }>();
  /** By event, and of all events under the key ''; newest first. */
  readonly #history = new Map<string, HistoryRow[]>();
  readonly #activity: ActivityEntry[] = [];
  /** Noted by the upkeep. */
  expireDays: number | undefined;
  readonly #deliveryRows: DeliveryRow[] = [];
  /** Of exports and imports. */
  readonly transfers = new MemoryTransfers();
  #session = '';
  #number = 0;
  #loads = 0;

  constructor(lease: MemoryLeaseBoard) {
    this.#lease = lease;
  }

  /** Starts a sequence of commits; answers its name, or 'FENCED'. */
  begin(term: number): string {
    if (term !== this.#lease.term) return 'FENCED';
    this.#loads += 1;
    this.#session = `${term}:${this.#loads}`;
    this.#number = 0;
    return this.#session;
  }

  /** One commit: answers 'OK', 'FENCED' or 'GAP', and does nothing but for a new 'OK'. */
  commit(term: number, session: string, number: number, changes: readonly Change[]): string {
    if (term !== this.#lease.term) return 'FENCED';
    if (session !== this.#session || number > this.#number + 1) return 'GAP';
    if (number <= this.#number) return 'OK';
    if (this.transfers.lacks(changes)) return 'GAP';
    this.#number = number;
    for (const change of changes) this.#apply(structuredClone(change));
    return 'OK';
  }

  /** True while no newer term has begun. */
  isPresent(term: number): boolean {
    return term === this.#lease.term;
  }

  revoke(run: RunRef): Revocation {
    const entry = this.#runs.get(run.job);
    if (entry === undefined || entry.attempt !== run.attempt) return { kind: 'absent' };
    if (entry.state === 'claimed') return { kind: 'claimed', boot: entry.boot };
    this.#runs.set(run.job, { ...entry, state: 'revoked' });
    return { kind: 'revoked' };
  }

  claim(run: RunRef, worker: { node: string; boot: string; nonce: string }): ClaimOutcome {
    const entry = this.#runs.get(run.job);
    const job = this.#truth.jobs.get(run.job);
    if (entry === undefined || job === undefined) return refuseClaim('absent');
    if (entry.attempt !== run.attempt) return refuseClaim('attempt');
    if (entry.node !== worker.node) return refuseClaim('node');
    if (entry.state === 'revoked') return refuseClaim('revoked');
    if (entry.state === 'claimed' && (entry.boot !== worker.boot || entry.nonce !== worker.nonce)) {
      return refuseClaim('claimed');
    }
    const { node, boot, nonce } = worker;
    this.#runs.set(run.job, { state: 'claimed', attempt: run.attempt, node, boot, nonce });
    return { claimed: true, job: structuredClone(job.fields) };
  }

  isCurrent(run: RunRef): boolean {
    const entry = this.#runs.get(run.job);
    return entry?.state === 'claimed' && entry.attempt === run.attempt;
  }

  /** Copies of everything the primary keeps in memory. */
  read(): StoredState {
    const truth = this.#truth;
    return structuredClone({
      puts: tableNames.flatMap((table) => this.#putsOf(table)),
      enabled: truth.enabled,
      tickMinute: truth.tickMinute,
      cursors: truth.cursors,
      redos: truth.redos,
      robins: truth.robins,
      jobs: [...truth.jobs.values()],
      deliveries: [...truth.deliveries.values()],
      dispatches: new Map(),
      runs: this.#runs,
      stats: truth.stats,
    });
  }

  /** A completed job, until its time is over. */
  readJob(id: string): JobFields | undefined {
    const kept = this.#records.get(id);
    if (kept === undefined || this.#lease.clock.monotonicMs() >= kept.endsAtMs) return undefined;
    return structuredClone(kept.record);
  }

  history(event: string | undefined): readonly HistoryRow[] {
    return this.#history.get(event ?? '') ?? [];
  }

  /** Keeps of a history list what the filter wants. */
  filterHistory(event: string | undefined, wanted: (row: HistoryRow, index: number) => boolean): void {
    this.#history.set(event ?? '', this.history(event).filter(wanted));
  }

  /** Ids of all records whose time is not over. */
  recordIds(): string[] {
    return [...this.#records.keys()].filter((id) => this.readJob(id) !== undefined);
  }

  /** Moves the end of a record that still exists. */
  keepRecord(id: string, untilSec: number): void {
    const kept = this.#records.get(id);
    if (kept === undefined || this.readJob(id) === undefined) return;
    const { clock } = this.#lease;
    kept.endsAtMs = clock.monotonicMs() + untilSec * 1000 - clock.nowMs();
  }

  activity(): readonly ActivityEntry[] {
    return this.#activity;
  }

  deliveryRows(): readonly DeliveryRow[] {
    return this.#deliveryRows;
  }

  #putsOf(table: TableName): StoredState['puts'] {
    const entries = this.#truth[table].page(0, this.#truth[table].size);
    // The table a record was put in is the table it is read from.
    return entries.map((entry) => ({ type: 'put', table, seq: entry.seq, record: entry.record as never }));
  }

  #apply(change: Change): void {
    if (change.type === 'finish' && !this.#truth.jobs.has(change.record.id)) return;
    if (change.type === 'delivered' && !this.#truth.deliveries.has(change.id)) return;
    this.#applyBeside(change);
    this.#truth.applyChange(change);
  }

  /** What the memory of the primary does not hold: runs, records, lists. */
  #applyBeside(change: Change): void {
    if (change.type === 'job') {
      const { state, fields } = change.job;
      if (state === 'queued' || state === 'waiting') this.#runs.delete(fields.id);
    } else if (change.type === 'dispatch') this.#dispatch(change.run, change.node);
    else if (change.type === 'finish') this.#finish(change);
    else if (change.type === 'forget-job') this.#runs.delete(change.id);
    else if (change.type === 'forget-event') this.#history.delete(change.event);
    else if (change.type === 'activity') push(this.#activity, change.entry, change.rowMax);
    else if (change.type === 'delivered') push(this.#deliveryRows, change.row, change.rowMax);
    else if (change.type === 'staged') for (const past of this.transfers.take(change)) this.#apply(past);
    else if (change.type === 'copy-lists') this.transfers.copy(change, (from) => this.#listOf(from));
    else if (change.type === 'past-job') this.#keep(change.record, change.expireSec);
    else if (change.type === 'past-rows') {
      const rows = this.#listOf(change.to);
      rows.push(...change.rows);
      rows.length = Math.min(rows.length, Math.max(0, Math.floor(change.rowMax)));
    }
  }

  /** The list itself, made when it is not there. */
  #listOf(from: PastList): object[] {
    if (from.list === 'activity') return this.#activity;
    if (from.list === 'deliveries') return this.#deliveryRows;
    const name = from.list === 'event' ? from.event : '';
    const rows = this.#history.get(name) ?? [];
    this.#history.set(name, rows);
    return rows;
  }

  #keep(record: JobFields, expireSec: number): void {
    if (this.readJob(record.id) !== undefined) return;
    const endsAtMs = this.#lease.clock.monotonicMs() + Math.max(1, Math.ceil(expireSec)) * 1000;
    this.#records.set(record.id, { record, endsAtMs });
  }

  #dispatch(run: RunRef, node: string): void {
    const entry = this.#runs.get(run.job);
    if (!this.#truth.jobs.has(run.job)) return;
    if (entry?.state === 'claimed' && entry.attempt === run.attempt) return;
    this.#runs.set(run.job, { state: 'dispatched', attempt: run.attempt, node, boot: '', nonce: '' });
  }

  #finish(change: Extract<Change, { type: 'finish' }>): void {
    const { record, row, rowMax } = change;
    this.#runs.delete(record.id);
    const endsAtMs = this.#lease.clock.monotonicMs() + Math.max(1, Math.ceil(change.expireSec)) * 1000;
    this.#records.set(record.id, { record, endsAtMs });
    for (const list of ['', row.event]) {
      const rows = this.#history.get(list) ?? [];
      this.#history.set(list, rows);
      push(rows, row, rowMax);
    }
  }
}

function push<T>(list: T[], row: T, rowMax: number): void {
  list.unshift(row);
  list.length = Math.min(list.length, Math.max(0, Math.floor(rowMax)));
}
