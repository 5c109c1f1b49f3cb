import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import fc from 'fast-check';
import { FakeStanding, TestApi } from '../support/api-server.js';
import { adminKey, sha256 } from '../support/fake-office.js';
import { eventually, LiveClient, startLive, stopLive } from '../support/live.js';

afterEach(stopLive);

describe('authentication', () => {
  test('by header', async () => {
    const { api } = await startLive();
    expect(await new LiveClient(api.port, adminKey).next()).toEqual({ type: 'authenticated' });
  });

  test('by the first message', async () => {
    const { api } = await startLive();
    const client = new LiveClient(api.port);
    await client.opened();
    client.send({ type: 'authenticate', api_key: adminKey });
    expect(await client.next()).toEqual({ type: 'authenticated' });
  });

  test('a wrong key is refused', async () => {
    const { api, live } = await startLive();
    const client = new LiveClient(api.port, 'wrong');
    expect(await client.next()).toEqual({ type: 'error', code: 'api', description: 'Invalid API Key' });
    expect(await client.closed).toEqual({ code: 1008, reason: 'authentication failed' });
    await eventually(() => live.clients === 0);
  });

  test.each([{ type: 'watch_job', id: 'x' }, 'nonsense', '{"type":"__proto__"}'])(
    'anything else first is refused: %j',
    async (message) => {
      const { api } = await startLive();
      const client = new LiveClient(api.port);
      await client.opened();
      client.send(message);
      expect(await client.closed).toEqual({ code: 1008, reason: 'authentication expected' });
    },
  );

  test('silence is refused after five seconds', async () => {
    const { api, live } = await startLive();
    const client = new LiveClient(api.port);
    await client.opened();
    expect(live.clients).toBe(1);
    api.clock.advance(5_000);
    expect(await client.closed).toMatchObject({ code: 1008 });
  });
});

describe('sessions and limits', () => {
  const limited = { cat_limit: 1, cat_43f8c57e: 1 };

  async function watching(privileges: Record<string, unknown> = limited) {
    const world = await startLive();
    const { office, api, run } = world;
    office.addUser('Ann', privileges);
    const session = office.addSession('Ann');
    const id = await run();
    const client = new LiveClient(api.port);
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
    const { api } = await startLive();
    const client = new LiveClient(api.port);
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
    const { api, office, source, run } = await startLive();
    const id = await run();
    const client = new LiveClient(api.port, adminKey);
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
    const { api, source, run } = await startLive();
    const id = await run();
    const client = new LiveClient(api.port, adminKey);
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
    const { api, office, run } = await startLive();
    const id = await run();
    const text = 'grüße 世界 🎉 '.repeat(20);
    office.finish(id);
    office.logs.set(id, { gzip: true, bytes: gzipSync(text) });
    const read = async () => {
      const client = new LiveClient(api.port, adminKey);
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
    const { api, office, run } = await startLive();
    office.addKey('limited', 'limitedkey', { cat_limit: 1, cat_43f8c57e: 1 });
    const other = await run('29bf12db');
    const client = new LiveClient(api.port, 'limitedkey');
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

describe('a session over time', () => {
  test('a key that is deleted or disabled ends it, at the next request or within a ping', async () => {
    const { api, office } = await startLive();
    const [asking, silent] = [new LiveClient(api.port, adminKey), new LiveClient(api.port, adminKey)];
    await asking.next();
    await silent.next();
    const record = office.state.keyByHash(sha256(adminKey));
    if (record === undefined) throw new Error('no key');
    office.apply([{ type: 'put', table: 'api_keys', seq: 1, record: { ...record, active: 0 } }]);
    asking.send({ type: 'watch_job', id: 'x' });
    const ended = { code: 1008, reason: 'authentication is over' };
    expect(await asking.closed).toEqual(ended);
    api.clock.advance(30_000);
    expect(await silent.closed).toEqual(ended);
  });

  test('what comes after a refusal is not looked at', async () => {
    const { api, live } = await startLive();
    const client = new LiveClient(api.port);
    await client.opened();
    client.send({ type: 'authenticate', api_key: 'wrong' });
    client.send({ type: 'authenticate', api_key: adminKey });
    client.send({ type: 'watch_job', id: 'x' });
    expect(await client.closed).toMatchObject({ code: 1008, reason: 'authentication failed' });
    expect(await client.next()).toMatchObject({ type: 'error', code: 'api' });
    expect(client.unread).toEqual([]);
    await eventually(() => live.clients === 0);
  });
});

describe('a node that is not the primary', () => {
  const primary = { id: 'node1', hostname: 'h', url: 'http://primary.test:3012', term: 7 };

  test('names the primary', async () => {
    const { api } = await startLive(new FakeStanding('node2', undefined, primary));
    expect(await new LiveClient(api.port, adminKey).closed).toEqual({
      code: 1012,
      reason: 'not primary: http://primary.test:3012',
    });
  });

  test('when none is known', async () => {
    const { api } = await startLive(new FakeStanding('node2'));
    expect(await new LiveClient(api.port, adminKey).closed).toEqual({ code: 1012, reason: 'not primary' });
  });

  test('sends its clients away when its term ends', async () => {
    const { api, office, standing } = await startLive();
    const client = new LiveClient(api.port, adminKey);
    await client.next();
    standing.current = undefined;
    standing.known = { ...primary, id: 'node3' };
    office.term.abort();
    expect(await client.closed).toEqual({ code: 1012, reason: 'not primary: http://primary.test:3012' });
  });
});

test('whatever clients send, before or after they gave a key, the next one is served', async () => {
  const { api, live, run } = await startLive();
  const id = await run();
  const message = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.json(),
    fc.uint8Array({ maxLength: 200 }),
    fc.record(
      {
        type: fc.constantFrom('authenticate', 'watch_job', 'unwatch_job', '__proto__', 'x'),
        id: fc.oneof(fc.constant(id), fc.string(), fc.jsonValue()),
        api_key: fc.oneof(fc.string(), fc.constant(adminKey), fc.jsonValue()),
      },
      { requiredKeys: ['type'] },
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(message, { maxLength: 6 }), async (authentic, messages) => {
      const client = new LiveClient(api.port, authentic ? adminKey : undefined);
      await client.opened();
      for (const sent of messages) client.socket.send(sent instanceof Uint8Array ? sent : asText(sent));
      client.socket.close();
      await client.closed;
      await eventually(() => live.clients === 0);
      // Bounded: at most one answer to each message, and the job's state.
      expect(client.unread.length).toBeLessThanOrEqual(2 * messages.length + 1);
    }),
    { numRuns: 100 },
  );
  const last = new LiveClient(api.port, adminKey);
  await last.next();
  last.send({ type: 'watch_job', id });
  expect(await last.next()).toMatchObject({ type: 'job' });
});

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined');

test('other paths are left alone', async () => {
  const { api } = await startLive();
  const socket = new WebSocket(`ws://127.0.0.1:${api.port}/elsewhere`);
  const failed = new Promise<string>((resolve) => socket.on('error', (error) => resolve(error.message)));
  expect(await failed).toContain('404');
});
