import type { Clock, LogArchive } from '@carillon/core';

/** Logs in the memory of one process. Expires by the wall clock it is given. */
export class MemoryLogArchive implements LogArchive {
  readonly #clock: Clock;
  readonly #logs = new Map<string, { chunks: Uint8Array[]; endsAtMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async put(job: string, chunks: AsyncIterable<Uint8Array>, expireSec: number): Promise<void> {
    const kept: Uint8Array[] = [];
    for await (const chunk of chunks) kept.push(Uint8Array.from(chunk));
    this.#logs.set(job, { chunks: kept, endsAtMs: this.#clock.nowMs() + Math.max(1, expireSec) * 1000 });
  }

  get(job: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const log = this.#logs.get(job);
    if (log === undefined || log.endsAtMs <= this.#clock.nowMs()) return Promise.resolve(undefined);
    return Promise.resolve(each(log.chunks));
  }

  remove(job: string): Promise<void> {
    this.#logs.delete(job);
    return Promise.resolve();
  }

  keepUntil(job: string, untilSec: number): Promise<void> {
    const log = this.#logs.get(job);
    if (log !== undefined) log.endsAtMs = untilSec * 1000;
    return Promise.resolve();
  }

  sweep(limit: number): Promise<number> {
    const nowMs = this.#clock.nowMs();
    const over = [...this.#logs].filter(([, log]) => log.endsAtMs <= nowMs).slice(0, limit);
    for (const [job] of over) this.#logs.delete(job);
    return Promise.resolve(over.length);
  }
}

async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(Uint8Array.from(chunk));
}
