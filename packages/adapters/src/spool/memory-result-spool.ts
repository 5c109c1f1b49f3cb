import { type JobResult, runId } from '@carillon/contract';
import type { ResultSpool } from '@carillon/core';

/** Results in memory, for tests. */
export class MemoryResultSpool implements ResultSpool {
  readonly #results = new Map<string, JobResult>();

  async put(result: JobResult): Promise<void> {
    this.#results.set(runId(result), structuredClone(result));
  }

  async remove(result: JobResult): Promise<void> {
    this.#results.delete(runId(result));
  }

  async list(): Promise<JobResult[]> {
    return [...this.#results.values()]
      .map((result) => structuredClone(result))
      .sort((a, b) => a.time_end - b.time_end || a.attempt - b.attempt);
  }
}
