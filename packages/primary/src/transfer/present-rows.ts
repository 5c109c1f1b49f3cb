import type { PastLine } from '@carillon/core';
import type { OfficeContext } from '../office/context.js';

const pageRows = 1_000;

/** What the lists of a cluster hold already, read as an import needs it, so that nothing is added twice. */
export class PresentRows {
  readonly #office: Pick<OfficeContext, 'store' | 'state'>;
  /** Ids of jobs by event; '' is the history of all events. */
  readonly #jobs = new Map<string, ReadonlySet<string>>();
  #ends: { activity: number; delivery: number } | undefined;

  constructor(office: Pick<OfficeContext, 'store' | 'state'>) {
    this.#office = office;
  }

  /** Reads what the lines will be compared with. */
  async load(lines: readonly PastLine[]): Promise<void> {
    this.#ends ??= await this.#readEnds();
    for (const line of lines) {
      if (line.type !== 'history' && line.type !== 'event_history') continue;
      await this.#loadJobs('');
      // A new event has no history.
      if (this.#office.state.events.get(line.row.event) !== undefined) await this.#loadJobs(line.row.event);
    }
  }

  /** True when a job has a row in the history of that event, or of all events. */
  has(job: string, event: string | undefined): boolean {
    return this.#jobs.get(event ?? '')?.has(job) ?? false;
  }

  /** Unix seconds of the oldest entry; infinite without one. */
  get oldestActivitySec(): number {
    return this.#ends?.activity ?? Number.POSITIVE_INFINITY;
  }

  get oldestDeliverySec(): number {
    return this.#ends?.delivery ?? Number.POSITIVE_INFINITY;
  }

  async #loadJobs(event: string): Promise<void> {
    if (this.#jobs.has(event)) return;
    const { store } = this.#office;
    const ids = new Set<string>();
    for (let offset = 0; ; offset += pageRows) {
      const { rows } = await store.readHistory(event === '' ? undefined : event, offset, pageRows);
      for (const row of rows) ids.add(row.id);
      if (rows.length < pageRows) break;
    }
    this.#jobs.set(event, ids);
  }

  async #readEnds(): Promise<{ activity: number; delivery: number }> {
    const { store } = this.#office;
    const [activity, delivery] = await Promise.all([
      store.readActivity(0, 1).then(({ length }) => store.readActivity(Math.max(0, length - 1), 1)),
      store.readDeliveries(0, 1).then(({ length }) => store.readDeliveries(Math.max(0, length - 1), 1)),
    ]);
    const oldest = (rows: readonly { epoch: number }[]) => rows[0]?.epoch ?? Number.POSITIVE_INFINITY;
    return { activity: oldest(activity.rows), delivery: oldest(delivery.rows) };
  }
}
