import { createServer, type Server } from 'node:http';
import { connect as connectSocket, type Socket } from 'node:net';
import type { PrimaryMessage, WorkerMessage } from '@carillon/contract';
import { acceptOne, channelConformance, Collector, FakeClock, helloOf, LinkProbe } from '@carillon/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { WebSocket, WebSocketServer } from 'ws';
import { proofOf } from '../../src/channel/handshake.js';
import {
  type ChannelSettings,
  type WsChannelOptions,
  WsClusterChannel,
  WsWorkerChannel,
} from '../../src/channel/index.js';
import { SystemClock } from '../../src/clock/index.js';
import { MemoryLogger } from '../../src/logger/index.js';
import { SystemRandom } from '../../src/random/index.js';

const secret = 'the secret of this cluster';
const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function openServer(options: Partial<WsChannelOptions> = {}) {
  const log = new MemoryLogger();
  const clock = new SystemClock();
  const random = new SystemRandom();
  const cluster = new WsClusterChannel({ secret, clock, random, log, ...options });
  const server = createServer((_request, response) => response.end('still here'));
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request, socket, head) => {
    if (!cluster.handleUpgrade(request, socket, head)) socket.destroy();
  });
  const port = await listen(server);
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { cluster, server, port, url: `http://127.0.0.1:${port}`, log, close };
}

const workerEnd = (options: Partial<WsChannelOptions> = {}): WsWorkerChannel =>
  new WsWorkerChannel({
    secret,
    clock: new SystemClock(),
    random: new SystemRandom(),
    log: new MemoryLogger(),
    ...options,
  });

channelConformance('WebSocket channel', async () => {
  const { cluster, url, close } = await openServer();
  return { cluster, worker: workerEnd(), url, close };
});

/** A bare WebSocket and what it gets. */
async function rawClient(port: number): Promise<{
  socket: WebSocket;
  texts: Collector<string>;
  closed: Promise<{ code: number; reason: string }>;
}> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/cluster`);
  const texts = new Collector<string>();
  const opened = new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('error', reject);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  socket.on('error', () => undefined);
  socket.on('message', (data) => texts.add(String(data)));
  await opened;
  return { socket, texts, closed };
}

/** Takes a raw client through the handshake. */
async function provenClient(port: number) {
  const client = await rawClient(port);
  await client.texts.reached(1);
  const { nonce: server } = JSON.parse(client.texts.values[0] ?? '');
  const nonces = { server, client: 'c'.repeat(64) };
  const proof = proofOf(secret, 'client', nonces);
  client.socket.send(JSON.stringify({ nonce: nonces.client, proof }));
  await client.texts.reached(2);
  expect(client.texts.values[1]).toBe(JSON.stringify({ proof: proofOf(secret, 'server', nonces) }));
  return { ...client, answer: { nonce: nonces.client, proof } };
}

describe('authentication', () => {
  test('a worker with another secret is refused and told why', async () => {
    const { cluster, url, log, close } = await openServer();
    cleanUps.push(close);
    const accepted = new Collector<string>();
    cluster.accept((_link, hello) => {
      accepted.add(hello.node.id);
      return new LinkProbe<WorkerMessage>();
    });
    const connecting = workerEnd({ secret: 'another' }).connect(
      url,
      new LinkProbe(),
      new AbortController().signal,
    );
    await expect(connecting).rejects.toThrow('authentication failed: check the cluster secret');
    expect(log.lines).toMatchObject([
      {
        level: 'warn',
        message: 'A worker was refused',
        fields: { error: expect.stringMatching(/check the cluster secret \(from .*127\.0\.0\.1\)$/) },
      },
    ]);
    expect(accepted.values).toEqual([]);
  });

  test.each([
    ['a guessed proof', 'f'.repeat(64), 'the other end does not know the cluster secret'],
    ['no proof', 'welcome', 'the other end does not know the cluster secret'],
  ])('a primary that does not know the secret is refused by the worker: %s', async (_name, proof, reason) => {
    // Lets every client in.
    const impostor = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    cleanUps.push(() => new Promise((resolve) => impostor.close(() => resolve())));
    const closed = new Collector<number>();
    impostor.on('connection', (socket) => {
      socket.on('message', () => socket.send(JSON.stringify({ proof })));
      socket.on('close', (code) => closed.add(code));
      socket.send(JSON.stringify({ nonce: '0'.repeat(64) }));
    });
    await new Promise((resolve) => impostor.once('listening', resolve));
    const address = impostor.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const { signal } = new AbortController();
    const url = `http://127.0.0.1:${address.port}`;
    await expect(workerEnd().connect(url, new LinkProbe(), signal)).rejects.toThrow(reason);
    await closed.reached(1);
    expect(closed.values).toEqual([4001]);
  });

  test('a recorded transcript does not work a second time', async () => {
    const { cluster, port, close } = await openServer();
    cleanUps.push(close);
    acceptOne(cluster);
    const first = await provenClient(port);
    const replay = await rawClient(port);
    await replay.texts.reached(1);
    replay.socket.send(JSON.stringify(first.answer));
    expect(await replay.closed).toEqual({
      code: 4001,
      reason: 'authentication failed: check the cluster secret',
    });
    expect(replay.texts.values.length).toBe(1);
    first.socket.terminate();
  });

  test('a stranger that says nothing is closed after the time limit, and so is one without a hello', async () => {
    const clock = new FakeClock();
    const { cluster, port, close } = await openServer({ clock });
    cleanUps.push(close);
    acceptOne(cluster);
    const mute = await rawClient(port);
    await mute.texts.reached(1);
    const proven = await provenClient(port);
    clock.advance(3_000);
    expect((await mute.closed).reason).toBe('the handshake took too long');
    expect((await proven.closed).reason).toBe('the handshake took too long');
    // The server's side of the closing may be a turn behind.
    while (clock.pending > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test('a server that says nothing is given up after the time limit', async () => {
    const clock = new FakeClock();
    const silent = createServer();
    const upgraded = new Collector<unknown>();
    silent.on('upgrade', (_request, socket) => {
      upgraded.add(socket);
      cleanUps.push(async () => {
        socket.destroy();
      });
    });
    const port = await listen(silent);
    cleanUps.push(() => new Promise((resolve) => silent.close(() => resolve())));
    const connecting = workerEnd({ clock }).connect(
      `http://127.0.0.1:${port}`,
      new LinkProbe(),
      new AbortController().signal,
    );
    const rejected = expect(connecting).rejects.toThrow('timed out');
    await upgraded.reached(1);
    clock.advance(3_000);
    await rejected;
    expect(clock.pending).toBe(0);
  });

  test('no more strangers are let in than allowed', async () => {
    const { cluster, port, url, close } = await openServer({ settings: { mostStrangers: 1 } });
    cleanUps.push(close);
    acceptOne(cluster);
    const stranger = await rawClient(port);
    const { signal } = new AbortController();
    await expect(workerEnd().connect(url, new LinkProbe(), signal)).rejects.toThrow('refused');
    stranger.socket.terminate();
  });

  test.each([
    ['nothing listens', 'http://127.0.0.1:1', 'could not connect'],
    ['not a URL', 'nonsense', 'Invalid URL'],
    ['not HTTP', 'ftp://127.0.0.1/', 'Not an HTTP URL'],
  ])('connecting fails with the reason: %s', async (_name, url, reason) => {
    const { signal } = new AbortController();
    await expect(workerEnd().connect(url, new LinkProbe(), signal)).rejects.toThrow(reason);
  });

  test('connecting ends when it is no longer wanted', async () => {
    const { cluster, url, close } = await openServer();
    cleanUps.push(close);
    acceptOne(cluster);
    const abort = new AbortController();
    const connecting = workerEnd().connect(url, new LinkProbe(), abort.signal);
    abort.abort();
    await expect(connecting).rejects.toThrow('no longer wanted');
  });
});

describe('heartbeat', () => {
  async function linkedPair(settings: Partial<ChannelSettings> = {}) {
    const [serverClock, workerClock] = [new FakeClock(), new FakeClock()];
    const { cluster, url, close } = await openServer({ clock: serverClock, settings });
    cleanUps.push(close);
    const accepted = acceptOne(cluster);
    const workerProbe = new LinkProbe<PrimaryMessage>();
    const worker = workerEnd({ clock: workerClock, settings });
    const link = await worker.connect(url, workerProbe, new AbortController().signal);
    link.send(helloOf('n1'));
    return { primary: await accepted.promise, link, workerProbe, serverClock, workerClock };
  }

  test('either side closes a link on which nothing comes', async () => {
    const { primary, workerProbe, serverClock, workerClock } = await linkedPair();
    // The other side's pings and pongs need the event loop, which does not turn inside `advance`.
    serverClock.advance(2_999);
    expect(primary.probe.closed.values).toEqual([]);
    serverClock.advance(1);
    expect(primary.probe.closed.values).toEqual(['silent for 3 s']);
    workerClock.advance(3_000);
    await workerProbe.closed.reached(1);
    expect(workerProbe.closed.values).toEqual(['silent for 3 s']);
    expect([serverClock.pending, workerClock.pending]).toEqual([0, 0]);
  });

  test('pings keep an otherwise idle link open', async () => {
    const { primary, link, workerProbe, serverClock } = await linkedPair();
    for (let n = 0; n < 10; n += 1) {
      serverClock.advance(2_500);
      // One message through and back means that the pongs before it have arrived.
      primary.link.send({ type: 'unwatch', job: `j${n}` });
      await workerProbe.messages.reached(n + 1);
      link.send({ type: 'draining' });
      await primary.probe.messages.reached(n + 1);
    }
    expect(primary.probe.closed.values).toEqual([]);
    link.close('done');
    await primary.probe.closed.reached(1);
  });

  test('a process that was stopped does not blame the other side', async () => {
    const jumping = new FakeClock();
    let offsetMs = 0;
    // Timers see an ordinary step while the monotonic clock has moved on: the wake-up after a SIGSTOP.
    const clock = Object.assign(Object.create(jumping), {
      nowMs: () => jumping.nowMs(),
      monotonicMs: () => jumping.monotonicMs() + offsetMs,
      after: jumping.after.bind(jumping),
      every: jumping.every.bind(jumping),
    });
    const { cluster, url, close } = await openServer({ clock });
    cleanUps.push(close);
    const accepted = acceptOne(cluster);
    const link = await workerEnd().connect(url, new LinkProbe(), new AbortController().signal);
    link.send(helloOf('n1'));
    const primary = await accepted.promise;
    offsetMs = 60_000;
    jumping.advance(500);
    expect(primary.probe.closed.values).toEqual([]);
    jumping.advance(3_000);
    expect(primary.probe.closed.values.length).toBe(1);
  });
});

describe('bad input', () => {
  test.each([
    ['not JSON', 'hello'],
    ['another shape', '{"type":"beat","cpu":"high"}'],
    ['an unknown type', '{"type":"fire"}'],
    ['a primitive', '12'],
    ['a bare prototype', '{"__proto__":{"type":"draining"}}'],
  ])('an invalid message closes the link with the reason: %s', async (_name, text) => {
    const { cluster, port, close } = await openServer();
    cleanUps.push(close);
    const accepted = acceptOne(cluster);
    const client = await provenClient(port);
    client.socket.send(JSON.stringify(helloOf('n1')));
    const { probe } = await accepted.promise;
    client.socket.send(text);
    const { code, reason } = await client.closed;
    expect(code).toBe(1008);
    expect(reason).toMatch(/^invalid message: /);
    expect(probe.closed.values).toEqual([reason]);
    expect(probe.messages.values).toEqual([]);
  });

  test('a message above the limit closes the link; one that would go out is dropped', async () => {
    const { cluster, port, log, close } = await openServer({ settings: { mostMessageBytes: 2_000 } });
    cleanUps.push(close);
    const accepted = acceptOne(cluster);
    const client = await provenClient(port);
    client.socket.send(JSON.stringify(helloOf('n1')));
    const { link, probe } = await accepted.promise;
    link.send({ type: 'abort', job: 'j1', attempt: 1, kind: 'manual', reason: 'x'.repeat(3_000) });
    expect(log.lines.map((line) => line.level)).toEqual(['warn']);
    client.socket.send('x'.repeat(3_000));
    expect((await client.closed).code).toBe(1009);
    expect(probe.closed.values.length).toBe(1);
  });

  test('a link that does not take what is sent is cut', async () => {
    const { cluster, port, close } = await openServer({ settings: { mostUnsentBytes: 1_000_000 } });
    cleanUps.push(close);
    const accepted = acceptOne(cluster);
    const client = await provenClient(port);
    client.socket.send(JSON.stringify(helloOf('n1')));
    const { link, probe } = await accepted.promise;
    client.socket.pause();
    const reason = 'x'.repeat(100_000);
    for (let n = 0; n < 1_000 && probe.closed.values.length === 0; n += 1) {
      link.send({ type: 'abort', job: 'j1', attempt: 1, kind: 'manual', reason });
    }
    expect(probe.closed.values).toEqual(['too much is waiting to be sent']);
    client.socket.terminate();
  });

  test('a handler that throws ends neither the link nor the process', async () => {
    const { cluster, port, log, close } = await openServer();
    cleanUps.push(close);
    const seen = new Collector<string>();
    cluster.accept(() => ({
      onMessage: ({ type }) => {
        seen.add(type);
        throw new Error('a defect');
      },
      onClose: () => undefined,
    }));
    const client = await provenClient(port);
    client.socket.send(JSON.stringify(helloOf('n1')));
    client.socket.send('{"type":"draining"}');
    client.socket.send('{"type":"draining"}');
    await seen.reached(2);
    expect(log.lines.filter((line) => line.level === 'error').length).toBe(2);
    client.socket.terminate();
  });

  const frame = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.json(),
    fc.uint8Array({ maxLength: 200 }),
    fc.constant(JSON.stringify(helloOf('n1'))),
    fc.constant('{"type":"draining"}'),
  );

  test('no frames, before or after the handshake, end the server', async () => {
    const { cluster, port, url, close } = await openServer();
    cleanUps.push(close);
    cluster.accept(() => new LinkProbe<WorkerMessage>());
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(frame, { minLength: 1, maxLength: 5 }),
        async (proven, frames) => {
          const client = await (proven ? provenClient(port) : rawClient(port));
          for (const text of frames) client.socket.send(text);
          client.socket.close();
          await client.closed;
        },
      ),
      { numRuns: 60 },
    );
    const link = await workerEnd().connect(url, new LinkProbe(), new AbortController().signal);
    link.close('still works');
  });

  test('no bytes after the upgrade, and no malformed upgrade, end the server', async () => {
    const { cluster, port, close, url } = await openServer();
    cleanUps.push(close);
    cluster.accept(() => new LinkProbe<WorkerMessage>());
    const upgrade =
      'GET /cluster HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
    const start = fc.oneof(
      fc.constant(upgrade),
      fc.constant(upgrade.replace('13', '99')),
      fc.constant(upgrade.replace('dGhl', '')),
      fc.constant(upgrade.replace('/cluster', '/%zz//\\?x')),
    );
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 300 }), async (request, bytes) => {
        const socket = connectSocket(port, '127.0.0.1');
        const closed = new Promise((resolve) => socket.once('close', resolve));
        socket.on('error', () => undefined);
        socket.resume();
        socket.write(request);
        socket.end(bytes);
        await closed;
      }),
      { numRuns: 60 },
    );
    expect(await (await fetch(url)).text()).toBe('still here');
    const link = await workerEnd().connect(url, new LinkProbe(), new AbortController().signal);
    link.close('still works');
  });
});

test('paths of others are left alone', async () => {
  const { port, close } = await openServer();
  cleanUps.push(close);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/live`);
  const error = await new Promise<Error>((resolve) => socket.once('error', resolve));
  expect(error.message).toContain('socket hang up');
});
