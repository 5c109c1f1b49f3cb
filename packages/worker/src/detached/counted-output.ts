import type { OutputOffsets, OutputProtocol, PluginReport } from '@carillon/core';

/** A protocol that knows how far each stream has been read. */
export class CountedOutput implements OutputProtocol {
  readonly #inner: OutputProtocol;
  readonly #read: OutputOffsets;

  /** `from`: what the inner protocol has seen already. */
  constructor(inner: OutputProtocol, from: OutputOffsets) {
    this.#inner = inner;
    this.#read = { stdout: from.stdout, stderr: from.stderr };
  }

  get report(): PluginReport {
    return this.#inner.report;
  }

  get firstErrorLine(): string | undefined {
    return this.#inner.firstErrorLine;
  }

  get offsets(): OutputOffsets {
    return { ...this.#read };
  }

  stdout(chunk: Uint8Array, nowMs: number): Uint8Array[] {
    this.#read.stdout += chunk.length;
    return this.#inner.stdout(chunk, nowMs);
  }

  stderr(chunk: Uint8Array, nowMs: number): Uint8Array[] {
    this.#read.stderr += chunk.length;
    return this.#inner.stderr(chunk, nowMs);
  }

  end(nowMs: number): Uint8Array[] {
    return this.#inner.end(nowMs);
  }
}
