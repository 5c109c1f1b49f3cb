import { CarillonError } from '@carillon/contract';
import type { RecordLine, StateLine, TransferLine } from './transfer-line.js';
import { type TransferTable, transferTables } from './transfer-tables.js';

/** Lines that belong into the memory of the primary. */
export type PresentLine = Exclude<
  TransferLine,
  { type: 'job' | 'history' | 'event_history' | 'activity' | 'delivery' }
>;

type RecordOf<T extends TransferTable> = Extract<RecordLine, { table: T }>['record'];

/** What an import brings for the memory of the primary, gathered line by line; ids are unique in their table. */
export class ImportData {
  readonly tables: { readonly [T in TransferTable]: Map<string, RecordOf<T>> } = {
    categories: new Map(),
    plugins: new Map(),
    server_groups: new Map(),
    api_keys: new Map(),
    users: new Map(),
    events: new Map(),
  };
  state: StateLine = { type: 'state', tables: [] };
  readonly cursors = new Map<string, number>();
  readonly redos = new Map<string, readonly number[]>();
  readonly robins = new Map<string, number>();

  /** Throws CarillonError `api` for an id or the hash of a key that is there twice. */
  add(line: PresentLine): void {
    switch (line.type) {
      case 'record':
        this.#addRecord(line);
        return;
      case 'state':
        this.state = line;
        return;
      case 'cursor':
        this.cursors.set(line.event, line.minute);
        return;
      case 'redo':
        this.redos.set(line.event, line.minutes);
        return;
      case 'robin':
        this.robins.set(line.event, line.index);
        return;
    }
  }

  /** Records of all tables. */
  get size(): number {
    return transferTables.reduce((sum, table) => sum + this.tables[table].size, 0);
  }

  #addRecord({ table, record }: RecordLine): void {
    const records: Map<string, unknown> = this.tables[table];
    if (records.has(record.id)) throw new CarillonError('api', `${table} ${record.id}: it is there twice`);
    records.set(record.id, record);
  }
}
