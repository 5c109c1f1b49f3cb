import { ApiError, ClosedError, UnreachableError } from '@carillon/client';
import type { EventWrite, RunRequest, WriteFate } from '../checker/index.js';

/** What the client of a soak has done, and what it was told. */
export class Ledger {
  readonly writes: EventWrite[] = [];
  readonly runs: RunRequest[] = [];
  readonly aborted: string[] = [];
  /** Answers that no fault explains. */
  readonly oddAnswers: string[] = [];
  /** Calls by what became of them. */
  readonly fates: Record<WriteFate | 'refused' | 'not done', number> = {
    acknowledged: 0,
    unsure: 0,
    refused: 0,
    'not done': 0,
  };

  /** Makes a write of the schedule and records it; answers its fate, undefined when it was certainly not done. */
  async write(
    about: Pick<EventWrite, 'event' | 'what' | 'fields'>,
    call: () => Promise<unknown>,
  ): Promise<WriteFate | undefined> {
    const askedSec = Date.now() / 1000;
    const { fate } = await this.#attempt(call);
    if (fate !== undefined) this.writes.push({ ...about, fate, askedSec, endedSec: Date.now() / 1000 });
    return fate;
  }

  /** Asks for a job and records it; answers the ids. */
  async run(event: string, call: () => Promise<{ ids: string[] }>): Promise<readonly string[]> {
    const { fate, answer } = await this.#attempt(call);
    const ids = answer?.ids ?? [];
    if (fate !== undefined) this.runs.push({ event, fate, ids });
    return ids;
  }

  async abort(job: string, call: () => Promise<unknown>): Promise<void> {
    const { fate } = await this.#attempt(call);
    if (fate === 'acknowledged') this.aborted.push(job);
  }

  async #attempt<T>(call: () => Promise<T>): Promise<{ fate: WriteFate | undefined; answer?: T }> {
    try {
      const answer = await call();
      this.fates.acknowledged += 1;
      return { fate: 'acknowledged', answer };
    } catch (error) {
      const fate = this.#fateOf(error);
      this.fates[fate ?? (error instanceof ApiError ? 'refused' : 'not done')] += 1;
      return { fate };
    }
  }

  #fateOf(error: unknown): WriteFate | undefined {
    if (error instanceof UnreachableError) return error.mayHaveBeenProcessed ? 'unsure' : undefined;
    if (error instanceof ClosedError) return 'unsure';
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 'unavailable') return 'unsure';
    if (error.code === 'event' || error.code === 'job') return undefined;
    this.oddAnswers.push(`${error.code}: ${error.description}`);
    return 'unsure';
  }
}
