import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { liveChannelPath } from '@carillon/contract';
import type { Caller, Cancel, Clock, Digest, Logger } from '@carillon/core';
import { authenticate, presentCaller } from '../http/authenticate.js';
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

/** Time a client has to send its key. */
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
 * LiveEvent of the contract). The key comes in the X-API-Key header of the upgrade or in the first message. A node
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
    if (leader === undefined || this.#sessions.size >= (this.#deps.maxClients ?? 1000)) {
      client.on('error', () => undefined);
      if (leader === undefined) client.close(notPrimaryCode, this.#notPrimaryReason());
      else client.close(overloadedCode, 'too many clients');
      return;
    }
    this.#followTerm(leader.office.session.signal);
    const session = this.#open(client, request);
    const key = request.headers['x-api-key'];
    if (typeof key === 'string' && key !== '') session.authenticate(key);
    if (this.#strangers.size > (this.#deps.maxStrangers ?? 200) && this.#strangers.has(client)) {
      session.close(overloadedCode, 'too many clients');
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
      authenticate: (key) => this.#gate.identify(request, () => this.#authenticate(key)),
      present: (caller) => this.#present(caller),
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

  #authenticate(key: string) {
    const office = this.#deps.standing.office();
    if (office === undefined) throw new Error('not primary');
    return authenticate([key], office.state, this.#deps.digest);
  }

  /** Without an office the session is about to be closed anyway. */
  #present(caller: Caller): Caller | undefined {
    const office = this.#deps.standing.office();
    return office === undefined ? caller : presentCaller(caller, office.state);
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
