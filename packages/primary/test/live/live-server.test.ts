import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { type LiveEvent, liveChannelPath } from '@carillon/contract';
import { LiveServer } from '../../src/live/index.js';
import type { LiveListener, LiveSource } from '../../src/live/index.js';
import { FakeStanding, LogBook, stopAll, TestApi } from '../support/api-server.js';
import { adminKey, FakeOffice, sha256 } from '../support/fake-office.js';
import { referenceOffice } from '../support/reference-state.js';

/** Lets a test speak as the office would. */
class FakeSource implements LiveSource {
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
class Client {
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
async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

const clients = new Set<Client>();
const lives = new Set<LiveServer>();
afterEach(async () => {
  for (const client of clients) client.socket.terminate();
  clients.clear();
  for (const live of lives) live.close();
  lives.clear();
  await stopAll();
});

async function start(standing?: FakeStanding) {
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
  });
  later.live = live;
  lives.add(live);
  const run = async (id = '3c182051') => {
    const { ids } = await api.call('run_event', { id });
    return String(Array.isArray(ids) ? ids[0] : '');
  };
  return { office, api, live, source, standing: place, run };
}

describe('authentication', () => {
  test('by header', async () => {
    const { api } = await start();
    expect(await new Client(api.port, adminKey).next()).toEqual({ type: 'authenticated' });
  });

  test('by the first message', async () => {
    const { api } = await start();
    const client = new Client(api.port);
    await client.opened();
    client.send({ type: 'authenticate', api_key: adminKey });
    expect(await client.next()).toEqual({ type: 'authenticated' });
  });

  test('a wrong key is refused', async () => {
    const { api, live } = await start();
    const client = new Client(api.port, 'wrong');
    expect(await client.next()).toEqual({ type: 'error', code: 'api', description: 'Invalid API Key' });
    expect(await client.closed).toEqual({ code: 1008, reason: 'authentication failed' });
    await eventually(() => live.clients === 0);
  });

  test.each([{ type: 'watch_job', id: 'x' }, 'nonsense', '{"type":"__proto__"}'])(
    'anything else first is refused: %j',
    async (message) => {
      const { api } = await start();
      const client = new Client(api.port);
      await client.opened();
      client.send(message);
      expect(await client.closed).toEqual({ code: 1008, reason: 'authentication expected' });
    },
  );

  test('silence is refused after five seconds', async () => {
    const { api, live } = await start();
    const client = new Client(api.port);
    await client.opened();
    expect(live.clients).toBe(1);
    api.clock.advance(5_000);
    expect(await client.closed).toMatchObject({ code: 1008 });
  });
});

describe('sessions and limits', () => {
  const limited = { cat_limit: 1, cat_43f8c57e: 1 };

  async function watching(privileges: Record<string, unknown> = limited) {
    const world = await start();
    const { office, api, run } = world;
    office.addUser('Ann', privileges);
    const session = office.addSession('Ann');
    const id = await run();
    const client = new Client(api.port);
    await client.opened();
    client.send({ type: 'authenticate', session_id: session });
    expect(await client.next()).toEqual({ type: 'authenticated' });
    client.send({ type: 'watch_job', id });
    expect(await client.next()).toMatchObject({ type: 'job', job: { id } });
    return { ...world, client, session, id };
  }

  test('a session does as well as a key', async () => {
    const { source, client, id } = await watching();
    source.each(id, (listener) => listener.onLog({ offset: 0, text: 'one', end: false }));
    expect(await client.next()).toMatchObject({ type: 'log', text: 'one' });
  });

  test('a session that is over is refused', async () => {
    const { api } = await start();
    const client = new Client(api.port);
    await client.opened();
    client.send({ type: 'authenticate', session_id: 'x' });
    expect(await client.next()).toMatchObject({ type: 'error', code: 'session' });
    expect(await client.closed).toMatchObject({ code: 1008 });
  });

  test.each<[string, (api: TestApi) => Promise<unknown>]>([
    ['a new password', (api) => api.call('user_admin_update', { username: 'Ann', new_password: 'geheim77' })],
    ['disabling', (api) => api.call('user_admin_update', { username: 'Ann', active: 0 })],
    ['deletion', (api) => api.call('user_admin_delete', { username: 'Ann' })],
  ])('%s ends the connection before anything more is sent', async (_what, end) => {
    const { api, source, client, id } = await watching();
    expect(await end(api)).toMatchObject({ code: 0 });
    source.each(id, (listener) => listener.onLog({ offset: 0, text: 'secret', end: false }));
    expect(await client.next()).toMatchObject({ type: 'error', code: 'session' });
    expect(await client.closed).toEqual({ code: 1008, reason: 'authentication is over' });
    await eventually(() => source.listeners.get(id)?.size === 0);
  });

  test('a watch ends when the limits come to exclude the job; the connection stays', async () => {
    const { office, api, source, client, id } = await watching();
    await api.call('user_admin_update', { username: 'Ann', privileges: { cat_limit: 1 } });
    const job = office.activeJob(id);
    if (job === undefined) throw new Error('No job');
    source.each(id, (listener) => listener.onJob(job));
    expect(await client.next()).toMatchObject({
      type: 'error',
      code: 'user',
      description: expect.stringContaining('(cat_43f8c57e)'),
    });
    expect(source.listeners.get(id)?.size).toBe(0);
    client.send({ type: 'watch_job', id });
    expect(await client.next()).toMatchObject({ type: 'error', code: 'user' });
  });

  test('log text is not sent either once the limits exclude the job', async () => {
    const { api, source, client, id } = await watching();
    await api.call('user_admin_update', { username: 'Ann', privileges: { cat_limit: 1 } });
    source.each(id, (listener) => listener.onLog({ offset: 0, text: 'secret', end: false }));
    expect(await client.next()).toMatchObject({ type: 'error', code: 'user' });
  });

  test('a completed job beyond the limits is not told', async () => {
    const { office, client, run } = await watching();
    const other = await run('29bf12db');
    office.finish(other);
    client.send({ type: 'watch_job', id: other });
    expect(await client.next()).toMatchObject({
      type: 'error',
      description: expect.stringContaining('(cat_general)'),
    });
  });
});

describe('watching', () => {
  test('state and log of an active job, to its end', async () => {
    const { api, office, source, run } = await start();
    const id = await run();
    const client = new Client(api.port, adminKey);
    await client.next();
    client.send({ type: 'watch_job', id });
    expect(await client.next()).toMatchObject({ type: 'job', job: { id, event: '3c182051' } });
    source.each(id, (listener) => listener.onLog({ offset: 0, text: 'one\n', end: false }));
    expect(await client.next()).toEqual({ type: 'log', id, offset: 0, text: 'one\n', end: false });
    const job = office.activeJob(id);
    if (job === undefined) throw new Error('No job');
    source.each(id, (listener) => listener.onJob({ ...job, state: 'completed' }));
    expect(await client.next()).toMatchObject({ type: 'job', job: { state: 'completed' } });
    source.each(id, (listener) => listener.onLog({ offset: 4, text: '', end: true }));
    expect(await client.next()).toMatchObject({ type: 'log', end: true });
  });

  test('unwatch and disconnecting end the watch', async () => {
    const { api, source, run } = await start();
    const id = await run();
    const client = new Client(api.port, adminKey);
    await client.next();
    client.send({ type: 'watch_job', id });
    await client.next();
    expect(source.listeners.get(id)?.size).toBe(1);
    client.send({ type: 'unwatch_job', id });
    client.send('malformed');
    expect(await client.next()).toMatchObject({ type: 'error', code: 'api' });
    expect(source.listeners.get(id)?.size).toBe(0);
    client.send({ type: 'watch_job', id });
    await client.next();
    client.socket.close();
    await client.closed;
    await eventually(() => source.listeners.get(id)?.size === 0);
  });

  test('a completed job is told whole, characters never cut', async () => {
    const { api, office, run } = await start();
    const id = await run();
    const text = 'grüße 世界 🎉 '.repeat(20);
    office.finish(id);
    office.logs.set(id, { gzip: true, bytes: gzipSync(text) });
    const read = async () => {
      const client = new Client(api.port, adminKey);
      await client.next();
      client.send({ type: 'watch_job', id });
      expect(await client.next()).toMatchObject({ type: 'job', job: { id, state: 'completed', code: 0 } });
      let received = '';
      for (;;) {
        const event = await client.next();
        if (event.type !== 'log') throw new Error(`Unexpected ${event.type}`);
        expect(event.offset).toBe(Buffer.byteLength(received));
        received += event.text;
        if (event.end) return received;
      }
    };
    expect(await read()).toBe(text);
    office.logs.set(id, { gzip: false, bytes: Buffer.from(text) });
    expect(await read()).toBe(text);
  });

  test('unknown jobs, and those out of scope, are refused', async () => {
    const { api, office, run } = await start();
    office.addKey('limited', 'limitedkey', { cat_limit: 1, cat_43f8c57e: 1 });
    const other = await run('29bf12db');
    const client = new Client(api.port, 'limitedkey');
    await client.next();
    client.send({ type: 'watch_job', id: 'nothing' });
    expect(await client.next()).toMatchObject({ type: 'error', code: 'job' });
    client.send({ type: 'watch_job', id: other });
    expect(await client.next()).toMatchObject({
      type: 'error',
      description: expect.stringContaining('(cat_general)'),
    });
    office.finish(other);
    client.send({ type: 'watch_job', id: other });
    expect(await client.next()).toMatchObject({
      type: 'error',
      description: expect.stringContaining('(cat_general)'),
    });
  });
});

describe('limits', () => {
  test('too many clients', async () => {
    const { api } = await start();
    for (let n = 0; n < 3; n += 1) await new Client(api.port, adminKey).next();
    expect(await new Client(api.port, adminKey).closed).toEqual({ code: 1013, reason: 'too many clients' });
  });

  test('a client that reads nothing is dropped', async () => {
    const { api, live, source, run } = await start();
    const id = await run();
    const client = new Client(api.port, adminKey);
    await client.next();
    client.send({ type: 'watch_job', id });
    await client.next();
    client.socket.pause();
    const text = 'x'.repeat(1_000_000);
    for (let n = 0; n < 40; n += 1)
      source.each(id, (listener) => listener.onLog({ offset: n * text.length, text, end: false }));
    expect(source.listeners.get(id)?.size).toBe(0);
    client.socket.resume();
    await client.closed;
    await eventually(() => live.clients === 0);
  });

  test('a client that answers no pings is dropped', async () => {
    const { api, live } = await start();
    const client = new Client(api.port, adminKey);
    await client.next();
    const pinged = new Promise<void>((resolve) => client.socket.once('ping', () => resolve()));
    api.clock.advance(30_000);
    await pinged;
    client.socket.pause();
    api.clock.advance(30_000);
    api.clock.advance(30_000);
    client.socket.resume();
    await client.closed;
    await eventually(() => live.clients === 0);
    expect(api.clock.pending).toBe(0);
  });
});

describe('a node that is not the primary', () => {
  const primary = { id: 'node1', hostname: 'h', url: 'http://primary.test:3012', term: 7 };

  test('names the primary', async () => {
    const { api } = await start(new FakeStanding('node2', undefined, primary));
    expect(await new Client(api.port, adminKey).closed).toEqual({
      code: 1012,
      reason: 'not primary: http://primary.test:3012',
    });
  });

  test('when none is known', async () => {
    const { api } = await start(new FakeStanding('node2'));
    expect(await new Client(api.port, adminKey).closed).toEqual({ code: 1012, reason: 'not primary' });
  });

  test('sends its clients away when its term ends', async () => {
    const { api, office, standing } = await start();
    const client = new Client(api.port, adminKey);
    await client.next();
    standing.current = undefined;
    standing.known = { ...primary, id: 'node3' };
    office.term.abort();
    expect(await client.closed).toEqual({ code: 1012, reason: 'not primary: http://primary.test:3012' });
  });
});

test('other paths are left alone', async () => {
  const { api } = await start();
  const socket = new WebSocket(`ws://127.0.0.1:${api.port}/elsewhere`);
  const failed = new Promise<string>((resolve) => socket.on('error', (error) => resolve(error.message)));
  expect(await failed).toContain('404');
});
