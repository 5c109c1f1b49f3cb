import type { JobFields } from '@carillon/contract';
import type { Caller } from '@carillon/core';
import { activityChange } from '../catalog/activity-change.js';
import type { OfficeContext } from '../office/context.js';

/** Rows read at a time while one is looked for. */
const rowsAtOnce = 1_000;
/** Rows on either side of where a row was seen: others may have been removed meanwhile. */
const neighbours = 50;

/** Takes completed jobs out of the cluster before their time is over. */
export class JobRemoval {
  readonly #office: OfficeContext;

  constructor(office: OfficeContext) {
    this.#office = office;
  }

  /**
   * Removes the rows of a completed job from the history, then its log, then its record, and notes it (behaviour
   * reference 2.2, delete_job). When it breaks off the record is still there, so that it can be repeated. Rejects when the
   * store or the place of the logs is out of reach.
   */
  async remove(job: JobFields, caller: Caller): Promise<void> {
    const { store, session, archive, clock, journal } = this.#office;
    await this.#removeRow(undefined, job.id);
    await this.#removeRow(job.event, job.id);
    await archive.remove(job.id);
    await store.upkeep.keepRecords(session, [
      { job: job.id, untilSec: Math.floor(clock.nowMs() / 1000) - 1 },
    ]);
    const note = { id: job.id, event: job.event, event_title: job.event_title };
    await journal.commit([activityChange(this.#office, 'job_delete', caller, note)]);
  }

  async #removeRow(event: string | undefined, job: string): Promise<void> {
    const { store, session } = this.#office;
    for (let offset = 0; ; offset += rowsAtOnce) {
      const { rows, length } = await store.readHistory(event, offset, rowsAtOnce);
      const index = rows.findIndex((row) => row.id === job);
      const row = rows[index];
      if (row !== undefined) {
        // Counted from the oldest, since new rows come in at the other end.
        const skip = Math.max(0, length - 1 - offset - index - neighbours);
        await store.upkeep.removeRows(session, event, { skip, limit: 2 * neighbours + 1 }, [row]);
        return;
      }
      if (rows.length < rowsAtOnce) return;
    }
  }
}
