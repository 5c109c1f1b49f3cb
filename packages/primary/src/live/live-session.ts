import type { WebSocket } from 'ws';
import { CarillonError, compileSchema, type LiveEvent, LiveRequest } from '@carillon/contract';
import {
  type Caller,
  type Cancel,
  type Credential,
  type Logger,
  missingPrivilege,
  missingScope,
} from '@carillon/core';
import type { Office } from '../office.js';
import type { LiveSource } from './live-source.js';
import { unpack } from './unpack.js';

/** What a session needs from the server it belongs to. */
export interface LiveSessionDeps {
  readonly log: Logger;
  /** The office and its source of events; undefined when this node is not the primary (any more). */
  readonly leader: () => { office: Office; source: LiveSource } | undefined;
  /** What two texts of a client are; undefined when both are empty. */
  readonly credential: (sessionId: string, key: string) => Credential | undefined;
  /** Throws CarillonError when it is none, unknown, over or disabled. */
  readonly identify: (credential: Credential | undefined) => Caller;
  readonly onAuthenticated: () => void;
  /** The node is not the primary: the server closes the connection with the reason. */
  readonly onNotPrimary: () => void;
}

/** A client that leaves more than this unread is dropped. */
const maxBufferedBytes = 16 * 1024 * 1024;
/** Jobs one client may watch at a time. */
const maxWatches = 200;
/** Close codes: policy violation, and "try again later". */
const refusedCode = 1008;
const overloadedCode = 1013;

const isLiveRequest = compileSchema(LiveRequest);

/** One client of the live channel. */
export class LiveSession {
  readonly #socket: WebSocket;
  readonly #deps: LiveSessionDeps;
  readonly #watches = new Map<string, Cancel>();
  /** Was good when it came; it is looked at again each time. */
  #credential: Credential | undefined;

  constructor(socket: WebSocket, deps: LiveSessionDeps) {
    this.#socket = socket;
    this.#deps = deps;
    socket.on('message', (data, isBinary) => this.#onMessage(isBinary ? '' : String(data)));
    socket.on('close', () => this.#endWatches());
    socket.on('error', (error) => deps.log.log('debug', 'A live client failed', { error: String(error) }));
  }

  get isAuthenticated(): boolean {
    return this.#credential !== undefined;
  }

  /** Takes the credential; refuses the client, and closes, when it is not good. */
  authenticate(credential: Credential | undefined): void {
    try {
      this.#deps.identify(credential);
      this.#credential = credential;
      this.#deps.onAuthenticated();
      this.#send({ type: 'authenticated' });
    } catch (error) {
      this.#refuse(error);
      this.close(refusedCode, 'authentication failed');
    }
  }

  close(code: number, reason: string): void {
    this.#endWatches();
    this.#socket.close(code, reason);
  }

  #onMessage(text: string): void {
    const message = parse(text);
    if (!isLiveRequest(message)) {
      this.#refuse(new CarillonError('api', 'Malformed message'));
      if (!this.isAuthenticated) this.close(refusedCode, 'authentication expected');
      return;
    }
    const { credential } = this.#deps;
    if (message.type === 'authenticate') {
      this.authenticate(credential(message.session_id ?? '', message.api_key ?? ''));
    } else if (!this.isAuthenticated) this.close(refusedCode, 'authentication expected');
    else if (message.type === 'unwatch_job') this.#endWatch(message.id);
    else this.#watch(message.id).catch((error: unknown) => this.#refuse(error));
  }

  /** Follows a job, active or completed. Watching it a second time starts again from the beginning. */
  async #watch(id: string): Promise<void> {
    const leader = this.#deps.leader();
    if (leader === undefined) {
      this.#deps.onNotPrimary();
      return;
    }
    this.#endWatch(id);
    if (this.#watches.size >= maxWatches) {
      throw new CarillonError('job', `Failed to watch job: At most ${maxWatches} at a time: ${id}`);
    }
    const active = leader.office.activeJob(id);
    if (active !== undefined) {
      if (!this.#isStillGood()) return;
      this.#requireVisible(active, leader.office);
      if (this.#watchActive(active, leader.source)) return;
    }
    await this.#replay(id, leader.office);
  }

  #watchActive(watched: { id: string; category: string; target: string }, source: LiveSource): boolean {
    const { id } = watched;
    let isOver = false;
    const cancel = source.watchJob(id, {
      onJob: (job) => {
        if (this.#mayGoOn(job)) this.#send({ type: 'job', job });
      },
      onLog: (piece) => {
        if (!this.#mayGoOn(watched)) return;
        this.#send({ type: 'log', id, offset: piece.offset, text: piece.text, end: piece.end });
        if (!piece.end) return;
        isOver = true;
        this.#watches.delete(id);
      },
    });
    if (cancel === undefined) return false;
    if (!isOver) this.#watches.set(id, cancel);
    return true;
  }

  /** Sends a completed job and its whole log, as fast as the client takes it. */
  async #replay(id: string, office: Office): Promise<void> {
    let isCancelled = false;
    const cancel = () => {
      isCancelled = true;
    };
    this.#watches.set(id, cancel);
    try {
      const job = await office.completedJob(id);
      if (job === undefined) throw new CarillonError('job', `Failed to watch job: Job not found: ${id}`);
      if (isCancelled || !this.#isStillGood()) return;
      this.#requireVisible(job, office);
      this.#send({ type: 'job', job: { ...job, state: 'completed' } });
      const log = await office.jobLog(id);
      const bytes = log === undefined ? [] : log.gzip ? unpack(log.bytes) : log.bytes;
      let offset = 0;
      for await (const { text, length } of textPieces(bytes)) {
        if (isCancelled || !this.#isStillGood()) return;
        await this.#sendAndWait({ type: 'log', id, offset, text, end: false });
        offset += length;
      }
      this.#send({ type: 'log', id, offset, text: '', end: true });
    } finally {
      if (this.#watches.get(id) === cancel) this.#watches.delete(id);
    }
  }

  /** Closes the connection when the key or the session is not good any more. */
  #isStillGood(): boolean {
    try {
      this.#deps.identify(this.#credential);
      return true;
    } catch (error) {
      this.#refuse(error);
      this.close(refusedCode, 'authentication is over');
      return false;
    }
  }

  /** Throws CarillonError when the present limits of the client exclude the job (behaviour reference 2.5). */
  #requireVisible(job: { category: string; target: string }, office: Office): void {
    const caller = this.#deps.identify(this.#credential);
    const missing = missingScope(caller, job, office.state, office.hostnames());
    if (missing !== undefined) throw missingPrivilege(caller, missing);
  }

  /** Ends the watch when the limits of the client have come to exclude the job. */
  #mayGoOn(job: { id: string; category: string; target: string }): boolean {
    const leader = this.#deps.leader();
    if (leader === undefined || !this.#isStillGood()) return false;
    try {
      this.#requireVisible(job, leader.office);
      return true;
    } catch (error) {
      this.#endWatch(job.id);
      this.#refuse(error);
      return false;
    }
  }

  #refuse(error: unknown): void {
    if (error instanceof CarillonError) {
      this.#send({ type: 'error', code: String(error.code), description: error.message });
      return;
    }
    this.#deps.log.log('warn', 'A live request failed', { error: String(error) });
    this.#send({
      type: 'error',
      code: 'unavailable',
      description: 'The store cannot be reached at the moment.',
    });
  }

  #send(event: LiveEvent): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(JSON.stringify(event));
    if (this.#socket.bufferedAmount <= maxBufferedBytes) return;
    this.#deps.log.log('info', 'A live client was too slow and has been dropped');
    this.close(overloadedCode, 'too slow');
    this.#socket.terminate();
  }

  /** Resolves when the event is with the operating system; rejects when the connection is gone. */
  #sendAndWait(event: LiveEvent): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(JSON.stringify(event), (error) => (error ? reject(error) : resolve()));
    });
  }

  #endWatch(id: string): void {
    this.#watches.get(id)?.();
    this.#watches.delete(id);
  }

  #endWatches(): void {
    for (const cancel of this.#watches.values()) cancel();
    this.#watches.clear();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Text of chunks that are cut anywhere, never within a character; `length` in bytes. */
async function* textPieces(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<{ text: string; length: number }> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([rest, chunk]);
    const end = wholeCharacters(bytes);
    rest = bytes.subarray(end);
    if (end > 0) yield { text: bytes.toString('utf8', 0, end), length: end };
  }
  if (rest.length > 0) yield { text: rest.toString('utf8'), length: rest.length };
}

/** Bytes up to the last whole UTF-8 character. */
function wholeCharacters(bytes: Buffer): number {
  const from = Math.max(0, bytes.length - 3);
  for (let index = bytes.length - 1; index >= from; index -= 1) {
    const byte = bytes[index] ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte < 0xc0) continue;
    const size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return index + size > bytes.length ? index : bytes.length;
  }
  return bytes.length;
}
