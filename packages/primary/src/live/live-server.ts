import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { liveChannelPath } from '@carillon/contract';
import { type Cancel, type Clock, type Credential, type Digest, identify, type Logger } from '@carillon/core';
import { readCredential } from '../http/authenticate.js';
import { headerOf } from '../http/request/target.js';
import { Gate } from '../http/gate.js';
import type { Standing } from '../office.js';
import { LiveSession } from './live-session.js';
import type { LiveSource } from './live-source.js';

export interface LiveServerDeps {
  standing: Standing;
  /** Source of events, while this node is the primary. */
  source: () => LiveSource | undefined;
  digest: Digest;
  clock: Clock;
  log: Logger;
  /** Most clients at a time; default 1000. */
  maxClients?: number;
  /** Most clients at a time that have not authenticated themselves; default 200. */
  maxStrangers?: number;
  /** Limits shared with the API; default: none. */
  gate?: Gate;
}

/** Time a client has to send its credential. */
const authenticationMs = 5_000;
/** Clients that have not answered the last ping when the next is due are dropped. */
const pingMs = 30_000;
const maxMessageBytes = 65_536;
/** Close codes: policy violation, service restart, try again later, going away. */
const refusedCode = 1008;
const notPrimaryCode = 1012;
const overloadedCode = 1013;
const goingAwayCode = 1001;

/**
 * The live channel for API clients: a WebSocket at `liveChannelPath` on which they follow jobs (LiveRequest and
 * LiveEvent of the contract). The credential comes in the X-Session-ID or X-API-Key header of the upgrade or in the first
 * message, and is looked at again with everything that is sent, and now and then. A node
 * that is not the primary closes with 1012 and a reason that ends in the primary's URL.
 */
export class LiveServer {
  readonly #deps: LiveServerDeps;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
  });
  readonly #sessions = new Map<WebSocket, LiveSession>();
  readonly #watchedTerms = new WeakSet<AbortSignal>();
  readonly #answered = new WeakSet<WebSocket>();
  readonly #strangers = new Set<WebSocket>();
  readonly #gate: Gate;
  #cancelPings: Cancel | undefined;

  constructor(deps: LiveServerDeps) {
    this.#deps = deps;
    this.#gate = deps.gate ?? new Gate({ rules: {}, clock: deps.clock });
  }

  /** Number of connected clients. */
  get clients(): number {
    return this.#sessions.size;
  }

  /** Takes upgrades of `liveChannelPath`; answers false for others, which are left alone. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if ((request.url ?? '').split('?', 1)[0] !== liveChannelPath) return false;
    this.#sockets.handleUpgrade(request, socket, head, (client) => this.#onClient(client, request));
    return true;
  }

  /** Closes all connections. */
  close(): void {
    for (const session of this.#sessions.values()) session.close(goingAwayCode, 'the node is stopping');
    this.#stopPings();
  }

  #onClient(client: WebSocket, request: IncomingMessage): void {
    const leader = this.#leader();
    const isFull = this.#sessions.size >= (this.#deps.maxClients ?? 1000);
    if (leader === undefined || isFull || !this.#isAdmitted(request)) {
      client.on('error', () => undefined);
      if (leader === undefined) client.close(notPrimaryCode, this.#notPrimaryReason());
      else client.close(overloadedCode, isFull ? 'too many clients' : 'too many requests');
      return;
    }
    this.#followTerm(leader.office.session.signal);
    const session = this.#open(client, request);
    const credential = this.#credential(headerOf(request, 'x-session-id'), headerOf(request, 'x-api-key'));
    if (credential !== undefined) session.authenticate(credential);
    if (this.#strangers.size > (this.#deps.maxStrangers ?? 200) && this.#strangers.has(client)) {
      session.close(overloadedCode, 'too many clients');
    }
  }

  /** A connection counts as one request of its address. */
  #isAdmitted(request: IncomingMessage): boolean {
    try {
      this.#gate.admit(request);
      return true;
    } catch {
      return false;
    }
  }

  #open(client: WebSocket, request: IncomingMessage): LiveSession {
    const { clock, log } = this.#deps;
    const cancelTimer = clock.after(authenticationMs, () =>
      session.close(refusedCode, 'authentication expected'),
    );
    const session = new LiveSession(client, {
      log,
      leader: () => this.#leader(),
      credential: (sessionId, key) => this.#credential(sessionId, key),
      admit: (credential) => this.#gate.identify(request, () => this.#identify(credential)),
      identify: (credential) => this.#identify(credential),
      onAuthenticated: () => {
        cancelTimer();
        this.#strangers.delete(client);
      },
      onNotPrimary: () => session.close(notPrimaryCode, this.#notPrimaryReason()),
    });
    this.#sessions.set(client, session);
    this.#strangers.add(client);
    this.#answered.add(client);
    client.on('pong', () => this.#answered.add(client));
    client.on('close', () => {
      cancelTimer();
      this.#strangers.delete(client);
      this.#sessions.delete(client);
      if (this.#sessions.size === 0) this.#stopPings();
    });
    this.#cancelPings ??= clock.every(pingMs, () => this.#ping());
    return session;
  }

  #leader() {
    const office = this.#deps.standing.office();
    const source = this.#deps.source();
    return office === undefined || source === undefined ? undefined : { office, source };
  }

  #credential(session: string, key: string): Credential | undefined {
    return readCredential({ sessions: [session], keys: [key] }, this.#deps.digest);
  }

  #identify(credential: Credential | undefined) {
    const office = this.#deps.standing.office();
    if (office === undefined) throw new Error('not primary');
    return identify(credential, office.state, Math.floor(this.#deps.clock.nowMs() / 1000));
  }

  /** Sends all clients to the next primary when the term ends. */
  #followTerm(signal: AbortSignal): void {
    if (this.#watchedTerms.has(signal)) return;
    this.#watchedTerms.add(signal);
    const onEnd = () => {
      for (const session of this.#sessions.values()) session.close(notPrimaryCode, this.#notPrimaryReason());
    };
    signal.addEventListener('abort', onEnd, { once: true });
  }

  #notPrimaryReason(): string {
    const { standing } = this.#deps;
    const primary = standing.primary();
    if (primary === undefined || primary.id === standing.nodeId) return 'not primary';
    const reason = `not primary: ${primary.url}`;
    // A close reason holds at most 123 bytes.
    return Buffer.byteLength(reason) <= 123 ? reason : 'not primary';
  }

  #ping(): void {
    for (const [client, session] of this.#sessions) {
      if (this.#answered.delete(client)) client.ping();
      else client.terminate();
      session.recheck();
    }
  }

  #stopPings(): void {
    this.#cancelPings?.();
    this.#cancelPings = undefined;
  }
}
