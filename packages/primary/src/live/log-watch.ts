import { Readable } from 'node:stream';
import type { PrimaryMessage, WorkerMessage } from '@carillon/contract';
import { type ActiveJob, type Cancel, isClaimed } from '@carillon/core';
import type { OfficeContext } from '../office/context.js';
import { unpack } from './unpack.js';

type LogMessage = Extract<WorkerMessage, { type: 'log' }>;

/** A piece of a log: text from byte `offset`; with `end` nothing follows. */
export interface LogPiece {
  offset: number;
  text: string;
  end: boolean;
}

interface Watcher {
  /** Bytes delivered so far. */
  cursor: number;
  onPiece: (piece: LogPiece, size: number) => void;
}

/**
 * Follows the logs of jobs for any number of watchers: from the worker while the job runs, from the archive
 * when it has ended. Every watcher gets each byte once and in order, whatever the lossy channel repeats; what it
 * loses comes from the archive at the end.
 */
export class LogWatch {
  readonly #office: OfficeContext;
  readonly #send: (node: string, message: PrimaryMessage) => void;
  readonly #watchers = new Map<string, Set<Watcher>>();

  constructor(office: OfficeContext, send: (node: string, message: PrimaryMessage) => void) {
    this.#office = office;
    this.#send = send;
    office.journal.observe((changes) => {
      for (const change of changes) if (change.type === 'finish') void this.#finish(change.record.id);
    });
  }

  /** Watches an active job's log from its start. */
  watch(job: ActiveJob, onPiece: (piece: LogPiece, size: number) => void): Cancel {
    const id = job.fields.id;
    const watcher: Watcher = { cursor: 0, onPiece };
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(watcher));
    if (isClaimed(job)) this.#send(job.node, { type: 'watch', job: id, offset: 0 });
    return () => {
      watchers.delete(watcher);
      if (watchers.size > 0 || this.#watchers.get(id) !== watchers) return;
      this.#watchers.delete(id);
      this.#send(job.node, { type: 'unwatch', job: id });
    };
  }

  /** The run of a job was seen for the first time, or its worker came back: ask for what is missing. */
  onStarted(job: ActiveJob): void {
    const watchers = this.#watchers.get(job.fields.id);
    if (watchers === undefined) return;
    const offset = Math.min(...[...watchers].map((watcher) => watcher.cursor));
    this.#send(job.node, { type: 'watch', job: job.fields.id, offset });
  }

  onLog(message: LogMessage): void {
    const watchers = this.#watchers.get(message.job);
    if (watchers === undefined) return;
    const bytes = Buffer.from(message.text);
    for (const watcher of watchers) deliver(watcher, message.offset, bytes, message.size);
  }

  /** The rest of an ended job's log, from the archive. */
  async #finish(id: string): Promise<void> {
    const watchers = this.#watchers.get(id);
    if (watchers === undefined) return;
    this.#watchers.delete(id);
    try {
      let offset = 0;
      let carried = Buffer.alloc(0);
      const pass = (bytes: Buffer) => {
        for (const watcher of watchers) deliver(watcher, offset, bytes, offset + bytes.length);
        offset += bytes.length;
      };
      for await (const bytes of await this.readArchived(id)) {
        const joined = Buffer.concat([carried, bytes]);
        const whole = completeLength(joined);
        pass(joined.subarray(0, whole));
        carried = joined.subarray(whole);
      }
      pass(carried);
    } catch (error) {
      this.#office.log.log('warn', 'An archived log could not be read', { job: id, error: String(error) });
    }
    for (const watcher of watchers) {
      watcher.onPiece({ offset: watcher.cursor, text: '', end: true }, watcher.cursor);
    }
  }

  /** An archived log, uncompressed; empty when there is none. */
  async readArchived(id: string): Promise<AsyncIterable<Buffer>> {
    const compressed = await this.#office.archive.get(id);
    if (compressed === undefined) return Readable.from([]);
    return unpack(compressed);
  }
}

/** Bytes up to the last character that is not cut off at the end. */
function completeLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Hands over what the watcher has not seen; a gap is left to the archive. */
function deliver(watcher: Watcher, offset: number, bytes: Buffer, size: number): void {
  const skip = watcher.cursor - offset;
  if (skip < 0 || (skip >= bytes.length && bytes.length > 0)) return;
  const fresh = bytes.subarray(skip);
  const piece = { offset: watcher.cursor, text: fresh.toString('utf8'), end: false };
  watcher.cursor += fresh.length;
  watcher.onPiece(piece, size);
}
