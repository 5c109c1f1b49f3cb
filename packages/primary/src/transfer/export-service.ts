import { CarillonError } from '@carillon/contract';
import {
  type Caller,
  type ExportHeader,
  exportLines,
  exportVersion,
  type PastList,
  transferTables,
} from '@carillon/core';
import { activityChange } from '../catalog/activity-change.js';
import type { OfficeContext } from '../office/context.js';
import type { Journal } from '../office/journal.js';
import { OpenTransfers } from './open-transfers.js';

/** Lines, rows or records of one answer. */
const pageLines = 500;
/** Copies of lists are empty after an hour (`Store.readCopy`); an export must not take them for empty lists. */
const copyLifeMs = 55 * 60_000;

type ExportOffice = Pick<OfficeContext, 'state' | 'clock' | 'random' | 'settings' | 'store'> & {
  journal: Pick<Journal, 'commit' | 'observe'>;
};

interface OpenExport {
  readonly id: string;
  /** What memory held at the beginning, as JSON. */
  readonly lines: readonly string[];
  /** Events whose own history may hold more rows than that of all events. */
  readonly events: readonly string[];
  /** Jobs whose rows the history of all events holds; filled as it is read. */
  readonly shared: Set<string>;
  /** Jobs that came to their end after the beginning. */
  readonly later: Set<string>;
  /** Monotonic. */
  readonly begunMs: number;
  touchedMs: number;
  isOver: boolean;
}

export interface ExportPart {
  /** JSON texts. */
  lines: string[];
  /** Absent at the end. */
  next?: string;
}

/**
 * Exports of everything but logs: of one moment, while the cluster goes on. Memory is copied at once, lists are copied
 * by a commit that comes after everything memory held, and jobs that end later are left out. Records of jobs that are
 * deleted meanwhile are missing.
 */
export class ExportService {
  readonly #office: ExportOffice;
  readonly #open: OpenTransfers<OpenExport>;

  constructor(office: ExportOffice) {
    this.#office = office;
    this.#open = new OpenTransfers(office.clock, 'exports');
    office.journal.observe((changes) => {
      for (const { later } of this.#open.values()) {
        for (const change of changes) if (change.type === 'finish') later.add(change.record.id);
      }
    });
  }

  /** Throws CarillonError `unavailable` when too many are open. */
  async begin(caller: Caller): Promise<{ export: string; header: ExportHeader }> {
    const { state, clock, journal, random } = this.#office;
    this.#open.makeRoom();
    const id = `x${random.hex(8)}`;
    const events = [...state.events.newestFirst()].map((event) => event.id);
    const lines = exportLines(state);
    const header: ExportHeader = {
      type: 'header',
      format: 'carillon-export',
      version: exportVersion,
      exported: Math.floor(clock.nowMs() / 1000),
      tables: Object.fromEntries(transferTables.map((table) => [table, state[table].size])),
      active_jobs: state.jobs.size,
    };
    const begunMs = clock.monotonicMs();
    const past = { shared: new Set<string>(), later: new Set<string>() };
    this.#open.add({ id, lines, events, ...past, begunMs, touchedMs: begunMs, isOver: false });
    // In memory and in the order of commits this is the moment of the lines above.
    await journal.commit([
      { type: 'copy-lists', copy: id, events },
      activityChange(this.#office, 'export', caller, {}),
    ]);
    return { export: id, header };
  }

  /**
   * What follows a position; '' is the beginning. Parts are read one after the other. Throws CarillonError `api` for an
   * export or a position that does not exist.
   */
  async read(id: string, position: string): Promise<ExportPart> {
    const open = this.#open.get(id);
    if (open === undefined) throw exportGone();
    open.touchedMs = this.#office.clock.monotonicMs();
    const [stage, place] = splitOnce(position === '' ? 'memory:0' : position);
    const offset = Number(place);
    if (stage === 'jobs') return this.#readJobs(open, place);
    if (!Number.isSafeInteger(offset) || offset < 0) throw unknownPosition();
    switch (stage) {
      case 'memory':
        return this.#readMemory(open, offset);
      case 'history':
        return this.#readHistory(open, offset);
      case 'events':
        return this.#readEvents(open, offset);
      case 'activity':
      case 'deliveries':
        return this.#readList(open, stage, offset);
      default:
        throw unknownPosition();
    }
  }

  #readMemory(open: OpenExport, offset: number): ExportPart {
    const end = offset + pageLines;
    const next = end < open.lines.length ? `memory:${end}` : 'history:0';
    return { lines: open.lines.slice(offset, end), next };
  }

  async #readHistory(open: OpenExport, offset: number): Promise<ExportPart> {
    const { rows, end } = await this.#page(open, { list: 'history' }, offset);
    for (const row of rows) open.shared.add(String(Reflect.get(row, 'id')));
    const next = end === undefined ? 'events:0' : `history:${end}`;
    return { lines: rows.map((row) => JSON.stringify({ type: 'history', row })), next };
  }

  /** All rows of some events that are not in the history of all events. */
  async #readEvents(open: OpenExport, first: number): Promise<ExportPart> {
    const lines: string[] = [];
    let at = first;
    while (at < open.events.length && at < first + pageLines && lines.length < pageLines) {
      const event = open.events[at] ?? '';
      for (let offset: number | undefined = 0; offset !== undefined; ) {
        const page: { rows: object[]; end: number | undefined } = await this.#page(
          open,
          { list: 'event', event },
          offset,
        );
        for (const row of page.rows) {
          if (open.shared.has(String(Reflect.get(row, 'id')))) continue;
          lines.push(JSON.stringify({ type: 'event_history', row }));
        }
        offset = page.end;
      }
      at += 1;
    }
    return { lines, next: at < open.events.length ? `events:${at}` : 'activity:0' };
  }

  async #readList(open: OpenExport, list: 'activity' | 'deliveries', offset: number): Promise<ExportPart> {
    const { rows, end } = await this.#page(open, { list }, offset);
    const type = list === 'activity' ? 'activity' : 'delivery';
    const after = list === 'activity' ? 'deliveries:0' : 'jobs:';
    const next = end === undefined ? after : `${list}:${end}`;
    return { lines: rows.map((row) => JSON.stringify({ type, row })), next };
  }

  async #readJobs(open: OpenExport, cursor: string): Promise<ExportPart> {
    const { store } = this.#office;
    const { records, next } = await store.upkeep.readRecords(cursor === '' ? undefined : cursor, pageLines);
    const earlier = records.filter((record) => !open.later.has(record.id));
    const lines = earlier.map((record) => JSON.stringify({ type: 'job', record }));
    if (next === undefined) open.isOver = true;
    return next === undefined ? { lines } : { lines, next: `jobs:${next}` };
  }

  async #page(
    open: OpenExport,
    from: PastList,
    offset: number,
  ): Promise<{ rows: object[]; end: number | undefined }> {
    const { store, clock } = this.#office;
    const { rows, length } = await store.readCopy(open.id, from, offset, pageLines);
    if (clock.monotonicMs() - open.begunMs > copyLifeMs) throw exportGone();
    const end = offset + rows.length;
    return { rows, end: end < length ? end : undefined };
  }
}

const exportGone = () =>
  new CarillonError('api', 'There is no such export, or no longer. Please begin again.');

const unknownPosition = () => new CarillonError('api', 'Malformed parameter value: position');

function splitOnce(text: string): [string, string] {
  const at = text.indexOf(':');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
