import { WebSocket } from 'ws';
import { type LiveEvent, liveChannelPath } from '@carillon/contract';
import type { AdmissionRules } from '@carillon/core';
import { Gate } from '../../src/http/index.js';
import { LiveServer } from '../../src/live/index.js';
import type { LiveListener, LiveSource } from '../../src/live/index.js';
import { FakeStanding, LogBook, stopAll, TestApi } from './api-server.js';
import { FakeOffice, sha256 } from './fake-office.js';
import { referenceOffice } from './reference-state.js';

/** Lets a test speak as the office would. */
export class FakeSource implements LiveSource {
  readonly listeners = new Map<string, Set<LiveListener>>();
  readonly #office: FakeOffice;

  constructor(office: FakeOffice) {
    this.#office = office;
  }

  watchJob(id: string, listener: LiveListener) {
    const job = this.#office.activeJob(id);
    if (job === undefined) return undefined;
    const listeners = this.listeners.get(id) ?? new Set();
    this.listeners.set(id, listeners.add(listener));
    listener.onJob(job);
    return () => {
      listeners.delete(listener);
    };
  }

  each(id: string, action: (listener: LiveListener) => void): void {
    for (const listener of this.listeners.get(id) ?? []) action(listener);
  }
}

/** A client that is read event by event. */
export class LiveClient {
  readonly socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #events: LiveEvent[] = [];
  #wake = () => {};

  constructor(port: number, key?: string) {
    const headers = key === undefined ? {} : { 'X-API-Key': key };
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${liveChannelPath}`, { headers });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    this.socket.on('error', () => undefined);
    this.socket.on('message', (data) => {
      this.#events.push(JSON.parse(String(data)));
      this.#wake();
    });
    clients.add(this);
  }

  opened(): Promise<void> {
    return new Promise((resolve) => {
      this.socket.once('open', () => resolve());
    });
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** What has come and was not read by `next`. */
  get unread(): readonly LiveEvent[] {
    return this.#events;
  }

  async next(): Promise<LiveEvent> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** Lets the other end of a connection have its turns until something holds; the test's time limit bounds it. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

const clients = new Set<LiveClient>();
const lives = new Set<LiveServer>();
/** Ends everything that was started. */
export async function stopLive(): Promise<void> {
  for (const client of clients) client.socket.terminate();
  clients.clear();
  for (const live of lives) live.close();
  lives.clear();
  await stopAll();
}

export async function startLive(standing?: FakeStanding, rules: AdmissionRules = {}) {
  const office = referenceOffice();
  const place = standing ?? new FakeStanding('node1', office);
  const source = new FakeSource(office);
  const later: { live?: LiveServer } = {};
  const api = await TestApi.start({
    office,
    standing: place,
    upgrades: [(request, socket, head) => later.live?.handleUpgrade(request, socket, head) ?? false],
  });
  const live = new LiveServer({
    standing: place,
    source: () => source,
    digest: { sha256 },
    clock: api.clock,
    log: new LogBook(),
    maxClients: 3,
    maxStrangers: 1,
    gate: new Gate({ rules, clock: api.clock }),
  });
  later.live = live;
  lives.add(live);
  const run = async (id = '3c182051') => {
    const { ids } = await api.call('run_event', { id });
    return String(Array.isArray(ids) ? ids[0] : '');
  };
  return { office, api, live, source, standing: place, run };
}
