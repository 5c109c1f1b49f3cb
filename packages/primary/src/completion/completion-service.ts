import type { JobResult } from '@carillon/contract';
import type { Consumer } from '@carillon/core';
import type { OfficeContext } from '../office/context.js';
import type { Finisher } from './finisher.js';

const resultsAtOnce = 64;

/**
 * Applies results: each job ends once, whatever is delivered twice. A result whose commit fails is delivered
 * again, to this primary or the next.
 */
export class CompletionService {
  readonly #office: OfficeContext;
  readonly #finisher: Finisher;
  #consumer: Consumer | undefined;

  constructor(office: OfficeContext, finisher: Finisher) {
    this.#office = office;
    this.#finisher = finisher;
  }

  start(): void {
    this.#consumer = this.#office.queue.consumeResults((result) => this.complete(result), resultsAtOnce);
  }

  async stop(): Promise<void> {
    await this.#consumer?.close();
  }

  /** Resolves when the job's end is durable, or when the result is certainly of no active run. */
  async complete(result: JobResult): Promise<void> {
    const { state, journal, log } = this.#office;
    const job = state.jobs.get(result.job);
    if (job === undefined || job.attempt !== result.attempt) {
      // A primary that has been replaced without knowing it may never have heard of the job.
      await journal.confirm();
      log.log('debug', 'A result of no active run was dropped', { job: result.job, attempt: result.attempt });
      return;
    }
    await this.#finisher.finish(result.job, { how: 'result', result });
  }
}
