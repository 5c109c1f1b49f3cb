import { gunzipSync, gzipSync } from 'node:zlib';
import type { JobLog, JobLogWriter } from '@carillon/core';

/** Logs in memory, for tests. */
export class MemoryJobLog implements JobLog {
  readonly #logs = new Map<string, Buffer>();

  async open(job: string, keepBytes?: number): Promise<JobLogWriter> {
    const logs = this.#logs;
    logs.set(job, this.#log(job).subarray(0, keepBytes));
    let closed = false;
    return {
      path: `/memory/${job}.log`,
      get size() {
        return logs.get(job)?.length ?? 0;
      },
      async write(chunk) {
        if (closed) throw new Error('The log is closed');
        logs.set(job, Buffer.concat([logs.get(job) ?? Buffer.alloc(0), Buffer.from(chunk)]));
      },
      async flushed() {
        // There is nothing in between.
      },
      async close() {
        closed = true;
      },
    };
  }

  async restore(job: string, compressed: AsyncIterable<Uint8Array>): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of compressed) chunks.push(chunk);
    const log = gunzipSync(Buffer.concat(chunks));
    if (!this.#logs.has(job)) this.#logs.set(job, log);
  }

  async read(job: string, offset: number, limit: number): Promise<Uint8Array> {
    return Uint8Array.from(this.#log(job).subarray(offset, offset + limit));
  }

  async *compressed(job: string): AsyncIterable<Uint8Array> {
    yield gzipSync(this.#log(job));
  }

  async remove(job: string): Promise<void> {
    this.#logs.delete(job);
  }

  async list(): Promise<string[]> {
    return this.jobs();
  }

  /** Jobs that have a log. */
  jobs(): string[] {
    return [...this.#logs.keys()];
  }

  #log(job: string): Buffer {
    return this.#logs.get(job) ?? Buffer.alloc(0);
  }
}
