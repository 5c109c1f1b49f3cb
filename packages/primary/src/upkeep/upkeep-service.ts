import { type Cancel, expiredRows, FencedError, movedEnds } from '@carillon/core';
import type { OfficeContext } from '../office/context.js';

/** A new primary has more urgent things to do first. */
const firstAfterMs = 5_000;
const everyMs = 3_600_000;
/** Rounds from one that walks through all rows to the next: a day. */
const roundsPerWalk = 24;
/** Between two steps, so that jobs do not wait for the upkeep. */
const pauseMs = 10;

const rowsAtOnce = 200;
/** Enough to see whether the oldest rows of a list are over. */
const rowsPeekedAt = 10;
const trimAtOnce = 5_000;
const recordsAtOnce = 100;
const logsAtOnce = 50;
/** Logs whose ends are moved at the same time. */
const logsBeside = 8;

/** The office was closed in the middle of a round. */
class StoppedError extends Error {}

/**
 * Retention, continuous and in retrospect: cuts history lists to `list_row_max`, removes rows older than
 * `job_data_expire_days` or the days of their job's own, and frees expired logs. When `job_data_expire_days` differs from
 * what everything was kept by, the ends of all records and logs are moved, sooner or later. Begins soon after the office
 * does and then comes round every hour; rows with days of their own amid younger ones are found once a day. Works in
 * small steps with pauses; what fails is tried again in the next round.
 */
export class UpkeepService {
  readonly #office: OfficeContext;
  /** Ends the step under way. */
  #abandon: (error: Error) => void = () => undefined;
  #timer: Cancel | undefined;
  #stopped = false;
  #rounds = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(office: OfficeContext) {
    this.#office = office;
  }

  start(): void {
    this.#arm(firstAfterMs);
  }

  /** Resolves at once, whatever step is under way: each is whole in itself. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.();
    this.#abandon(new StoppedError());
    await this.#running;
  }

  #arm(afterMs: number): void {
    if (this.#stopped) return;
    this.#timer = this.#office.clock.after(afterMs, () => {
      this.#running = this.#round().then(() => this.#arm(everyMs));
    });
  }

  /** Never rejects. */
  async #round(): Promise<void> {
    const isWalk = this.#rounds % roundsPerWalk === 0;
    this.#rounds += 1;
    // Each by itself: an archive that is out of reach must not keep the history from being cut.
    await this.#attempt('Records and logs could not be kept by the new setting', () => this.#moveEnds());
    await this.#attempt('The history could not be cut to its length', () => this.#tendLists(isWalk));
    await this.#attempt('Expired logs could not be removed', () => this.#sweepLogs());
  }

  async #attempt(complaint: string, work: () => Promise<void>): Promise<void> {
    if (this.#stopped) return;
    try {
      await work();
    } catch (error) {
      if (error instanceof StoppedError || error instanceof FencedError) return;
      this.#office.log.log('warn', complaint, { error: String(error) });
    }
  }

  /** Carries a changed `job_data_expire_days` out on everything that is kept. */
  async #moveEnds(): Promise<void> {
    const { store, archive, session, settings, log } = this.#office;
    const { upkeep } = store;
    const before = await this.#step(() => upkeep.readExpireDays());
    if (before === settings.expireDays) return;
    let cursor: string | undefined;
    let count = 0;
    do {
      const page = await this.#step(() => upkeep.readRecords(cursor, recordsAtOnce));
      const ends = movedEnds(page.records, settings.expireDays, this.#nowSec());
      // A record names its log, so it goes last.
      for (let start = 0; start < ends.length; start += logsBeside) {
        const some = ends.slice(start, start + logsBeside);
        await this.#step(() => Promise.all(some.map((end) => archive.keepUntil(end.job, end.untilSec))));
      }
      await this.#step(() => upkeep.keepRecords(session, ends));
      count += ends.length;
      cursor = page.next;
      await this.#pause();
    } while (cursor !== undefined);
    await this.#step(() => upkeep.noteExpireDays(session, settings.expireDays));
    if (count > 0) {
      log.log('info', 'Completed jobs are kept by the new setting', {
        jobs: count,
        days: settings.expireDays,
        before,
      });
    }
  }

  async #tendLists(isWalk: boolean): Promise<void> {
    const events = [...this.#office.state.events.newestFirst()].map((event) => event.id);
    for (const event of [undefined, ...events]) {
      await this.#trim(event);
      await this.#removeOld(event, isWalk);
      await this.#pause();
    }
  }

  async #trim(event: string | undefined): Promise<void> {
    const { store, session, settings } = this.#office;
    const cut = () => store.upkeep.trimHistory(session, event, settings.historyRows, trimAtOnce);
    while ((await this.#step(cut)) > 0) await this.#pause();
  }

  /** From the oldest row on: to the end of the list, or, unless it is a walk, as long as there are any to remove. */
  async #removeOld(event: string | undefined, isWalk: boolean): Promise<void> {
    const { store, session, settings } = this.#office;
    let place = { skip: 0, limit: isWalk ? rowsAtOnce : rowsPeekedAt };
    for (;;) {
      const rows = await this.#step(() => store.upkeep.readOldest(event, place));
      const over = expiredRows(rows, settings.expireDays, this.#nowSec());
      if (over.length > 0) await this.#step(() => store.upkeep.removeRows(session, event, place, over));
      if (rows.length < place.limit || (over.length === 0 && !isWalk)) return;
      place = { skip: place.skip + rows.length - over.length, limit: rowsAtOnce };
      await this.#pause();
    }
  }

  async #sweepLogs(): Promise<void> {
    while ((await this.#step(() => this.#office.archive.sweep(logsAtOnce))) > 0) await this.#pause();
  }

  #nowSec(): number {
    return this.#office.clock.nowMs() / 1000;
  }

  /**
   * Does a step and answers what it does. Throws StoppedError when the office is closed first; the step then ends
   * unheard. One at a time.
   */
  #step<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) return reject(new StoppedError());
      this.#abandon = reject;
      work().then(resolve, reject);
    });
  }

  async #pause(): Promise<void> {
    let cancel: Cancel = () => undefined;
    const over = () =>
      new Promise<void>((resolve) => {
        cancel = this.#office.clock.after(pauseMs, resolve);
      });
    await this.#step(over).finally(() => cancel());
  }
}
