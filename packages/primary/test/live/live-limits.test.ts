import { afterEach, describe, expect, test } from '@jest/globals';
import { adminKey } from '../support/fake-office.js';
import { eventually, LiveClient, startLive, stopLive } from '../support/live.js';

afterEach(stopLive);

describe('limits', () => {
  test('strangers have a limit of their own, so that they do not keep clients out', async () => {
    const { api } = await startLive();
    const stranger = new LiveClient(api.port);
    await stranger.opened();
    expect(await new LiveClient(api.port).closed).toEqual({ code: 1013, reason: 'too many clients' });
    expect(await new LiveClient(api.port, adminKey).next()).toEqual({ type: 'authenticated' });
  });

  test('wrong keys count as they do for the API', async () => {
    const { api } = await startLive(undefined, { failures: { perSec: 1, burst: 1 } });
    expect(await new LiveClient(api.port, 'wrong').next()).toMatchObject({ code: 'api' });
    expect(await new LiveClient(api.port, 'wrong').next()).toMatchObject({ code: 'rate_limit' });
    expect(await new LiveClient(api.port, adminKey).next()).toMatchObject({ code: 'rate_limit' });
  });

  test('a connection counts as a request of its address, with a key or without', async () => {
    const { api } = await startLive(undefined, { perAddress: { perSec: 1, burst: 1 } });
    expect(await new LiveClient(api.port, adminKey).next()).toEqual({ type: 'authenticated' });
    expect(await new LiveClient(api.port, adminKey).closed).toEqual({
      code: 1013,
      reason: 'too many requests',
    });
    api.clock.advance(1_000);
    expect(await new LiveClient(api.port, adminKey).next()).toEqual({ type: 'authenticated' });
  });

  test('a message larger than any request closes the connection', async () => {
    const { api } = await startLive();
    const client = new LiveClient(api.port, adminKey);
    await client.next();
    client.send('x'.repeat(70_000));
    expect((await client.closed).code).toBe(1009);
  });

  test('too many clients', async () => {
    const { api } = await startLive();
    for (let n = 0; n < 3; n += 1) await new LiveClient(api.port, adminKey).next();
    expect(await new LiveClient(api.port, adminKey).closed).toEqual({
      code: 1013,
      reason: 'too many clients',
    });
  });

  test('a client that reads nothing is dropped', async () => {
    const { api, live, source, run } = await startLive();
    const id = await run();
    const client = new LiveClient(api.port, adminKey);
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
    const { api, live } = await startLive();
    const client = new LiveClient(api.port, adminKey);
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
