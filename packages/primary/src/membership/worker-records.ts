import type { ServerRecord, WorkerHello } from '@carillon/contract';
import type { OfficeContext } from '../office/context.js';

/** What is kept of workers beyond a term: their records, and their coming and going in the activity log. */
export class WorkerRecords {
  readonly #office: OfficeContext;

  constructor(office: OfficeContext) {
    this.#office = office;
  }

  of(hello: WorkerHello): ServerRecord {
    const { id, hostname, ip, groups, master, slots } = hello.node;
    const known = this.#office.state.servers.get(id);
    const created = known?.created ?? Math.floor(this.#office.clock.nowMs() / 1000);
    return { id, hostname: hostname.toLowerCase(), ip, groups, master, slots, created };
  }

  /** Stores a new or changed worker, so that the next primary knows whom to expect. */
  remember(record: ServerRecord): void {
    const { state, journal } = this.#office;
    const known = state.servers.entry(record.id);
    if (known?.json === JSON.stringify(record)) return;
    const seq = known?.seq ?? state.servers.nextSeq;
    journal.commit([{ type: 'put', table: 'servers', seq, record }]).catch(() => undefined);
  }

  /** A worker is there, or is not there any more (behaviour reference 3.6, 5.12). */
  note(action: 'server_enable' | 'server_disable', { hostname, ip }: ServerRecord): void {
    const { journal, clock, settings } = this.#office;
    const entry = { action, epoch: Math.floor(clock.nowMs() / 1000), hostname, ip };
    journal.commit([{ type: 'activity', entry, rowMax: settings.historyRows }]).catch(() => undefined);
  }
}
