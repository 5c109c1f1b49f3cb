import { CarillonError, importGone } from '@carillon/contract';
import {
  type Caller,
  checkTransferLine,
  ImportData,
  type ImportOptions,
  type ImportPlan,
  type PastLine,
  planImport,
  planPast,
  refuseObstacles,
} from '@carillon/core';
import { activityChange } from '../catalog/activity-change.js';
import type { OfficeContext } from '../office/context.js';
import type { Journal } from '../office/journal.js';
import { OpenTransfers } from './open-transfers.js';
import { PresentRows } from './present-rows.js';

/** One script applies everything: more would keep the store from answering for too long. */
const mostPast = 200_000;
const mostPastChars = 64 * 1024 * 1024;
const mostRecords = 100_000;

export interface ImportWish extends ImportOptions {
  /** How many parts were added. */
  parts: number;
  /** Where the data came from, for the activity log. */
  source: string;
  /** Only answer what would be done. */
  dryRun: boolean;
}

export interface ImportAnswer {
  imported: boolean;
  tables: ImportPlan['tables'];
  /** Lines taken in about what is over, by type. */
  past: Record<string, number>;
  obstacles: string[];
  warnings: string[];
}

interface OpenImport {
  readonly id: string;
  readonly data: ImportData;
  readonly rows: PresentRows;
  readonly past: Map<string, number>;
  /** Parts added so far. */
  parts: number;
  /** Of those, how many changes are put aside in the store, in how many pieces. */
  pieces: number;
  changes: number;
  /** Their size in the store. */
  chars: number;
  /** Parts of one import are added one after the other. */
  busy: boolean;
  touchedMs: number;
  isOver: false;
}

export interface ImportDeps {
  office: Pick<OfficeContext, 'state' | 'clock' | 'random' | 'settings' | 'session' | 'store'> & {
    journal: Pick<Journal, 'commit'>;
  };
  /** Host names of the servers that are known. */
  hostnames: () => string[];
  /** Queued jobs may find room, events may be new. */
  onRoom: () => void;
}

/**
 * Imports: data is handed over in parts and checked at once, and takes effect by one commit or not at all. What
 * belongs into memory waits in memory, what is over waits in the store.
 */
export class ImportService {
  readonly #deps: ImportDeps;
  readonly #open: OpenTransfers<OpenImport>;

  constructor(deps: ImportDeps) {
    this.#deps = deps;
    this.#open = new OpenTransfers(deps.office.clock, 'imports');
  }

  /** Answers the id of a new import. Throws CarillonError `unavailable` when too many are open. */
  begin(): string {
    const { clock, random } = this.#deps.office;
    this.#open.makeRoom();
    const id = `i${random.hex(8)}`;
    this.#open.add({
      id,
      data: new ImportData(),
      rows: new PresentRows(this.#deps.office),
      past: new Map(),
      parts: 0,
      pieces: 0,
      changes: 0,
      chars: 0,
      busy: false,
      touchedMs: clock.monotonicMs(),
      isOver: false,
    });
    return id;
  }

  /** Takes lines in. Throws CarillonError `api` and forgets the import for a line that cannot be taken. */
  async add(id: string, part: number, lines: readonly unknown[]): Promise<void> {
    const open = this.#find(id);
    // A repeated request: its first answer was lost.
    if (part < open.parts) return;
    if (part > open.parts) throw new CarillonError('api', `Part ${open.parts} of the import is missing`);
    open.busy = true;
    try {
      await this.#take(open, lines);
      open.parts += 1;
    } catch (error) {
      await this.#forget(open);
      throw error;
    } finally {
      open.busy = false;
    }
  }

  /** Carries the import out, or only answers what it would do. Throws CarillonError `api` for one that is in the way. */
  async finish(id: string, wish: ImportWish, caller: Caller): Promise<ImportAnswer> {
    const open = this.#find(id);
    const { office, onRoom } = this.#deps;
    const { state, clock, settings, journal } = office;
    if (wish.parts !== open.parts) {
      throw new CarillonError('api', `The import has ${open.parts} parts, not ${wish.parts}`);
    }
    const plan = planImport(open.data, wish, {
      state,
      nowMs: clock.nowMs(),
      defaultTimezone: settings.timezone,
      hostnames: this.#deps.hostnames(),
    });
    const answer = {
      tables: plan.tables,
      past: Object.fromEntries(open.past),
      obstacles: plan.obstacles,
      warnings: plan.warnings,
    };
    if (wish.dryRun || plan.obstacles.length > 0) {
      await this.#forget(open);
      if (!wish.dryRun) refuseObstacles(plan);
      return { ...answer, imported: false };
    }
    this.#open.delete(id);
    const note = { source: wish.source || 'carillon', tables: plan.tables, past: answer.past };
    // Nothing waits between the plan and this commit: memory is still as it was planned against.
    const committed = journal.commit([
      ...(open.pieces === 0 ? [] : [{ type: 'staged', stage: open.id, pieces: open.pieces } as const]),
      ...plan.changes,
      activityChange(office, 'import', caller, note),
    ]);
    await committed;
    onRoom();
    return { ...answer, imported: true };
  }

  async #take(open: OpenImport, lines: readonly unknown[]): Promise<void> {
    const past: PastLine[] = [];
    for (const [index, value] of lines.entries()) {
      try {
        const line = checkTransferLine(value);
        switch (line.type) {
          case 'job':
          case 'history':
          case 'event_history':
          case 'activity':
          case 'delivery':
            past.push(line);
            break;
          default:
            // Which history is taken depends on the events.
            if (open.changes + past.length > 0) throw recordsFirst();
            open.data.add(line);
        }
      } catch (error) {
        if (!(error instanceof CarillonError)) throw error;
        const reason = `Failed to import, nothing was imported: line ${index + 1} of part ${open.parts}`;
        throw new CarillonError('api', `${reason}: ${error.message}`);
      }
    }
    if (open.data.size > mostRecords) throw tooMuch(`${mostRecords} records`);
    await this.#putAside(open, past);
  }

  async #putAside(open: OpenImport, past: readonly PastLine[]): Promise<void> {
    if (past.length === 0) return;
    const { office } = this.#deps;
    const { store, session, clock, settings, state } = office;
    const isEvent = (event: string) =>
      open.data.tables.events.has(event) || state.events.get(event) !== undefined;
    await open.rows.load(past);
    const changes = planPast(past, {
      nowSec: Math.floor(clock.nowMs() / 1000),
      expireDays: settings.expireDays,
      rowMax: settings.historyRows,
      isEvent,
      isKnownRow: (job, event) => open.rows.has(job, event),
      oldestActivitySec: open.rows.oldestActivitySec,
      oldestDeliverySec: open.rows.oldestDeliverySec,
    });
    for (const { type } of past) open.past.set(type, (open.past.get(type) ?? 0) + 1);
    open.changes += past.length;
    if (open.changes > mostPast) throw tooMuch(`${mostPast} lines about what is over`);
    open.chars += await store.stage(session, open.id, open.pieces, changes);
    open.pieces += 1;
    if (open.chars > mostPastChars) throw tooMuch('64 MB about what is over');
  }

  #find(id: string): OpenImport {
    const open = this.#open.get(id);
    if (open === undefined) {
      throw new CarillonError('api', `${importGone}. Please begin again.`);
    }
    if (open.busy) throw new CarillonError('api', 'Another part of this import is being added');
    open.touchedMs = this.#deps.office.clock.monotonicMs();
    return open;
  }

  async #forget(open: OpenImport): Promise<void> {
    this.#open.delete(open.id);
    // It would go away by itself, only later.
    await this.#deps.office.store.unstage(open.id).catch(() => undefined);
  }
}

const recordsFirst = () => new CarillonError('api', 'Records must come before what is over');

const tooMuch = (limit: string) =>
  new CarillonError('too_large', `Failed to import, nothing was imported: it has more than ${limit}`);
