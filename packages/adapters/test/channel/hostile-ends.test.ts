import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { PrimaryMessage, WorkerMessage } from '@carillon/contract';
import { Collector, helloOf, LinkProbe } from '@carillon/testkit';
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { WebSocketServer } from 'ws';
import { parseClientProof, proofOf } from '../../src/channel/handshake.js';
import { WsClusterChannel, WsWorkerChannel } from '../../src/channel/index.js';
import { SystemClock } from '../../src/clock/index.js';
import { MemoryLogger } from '../../src/logger/index.js';
import { SystemRandom } from '../../src/random/index.js';

/* Ends of the cluster channel that are not what they should be: a recorder in between, and primaries that say anything. */

const options = {
  secret: 'the secret of this cluster',
  clock: new SystemClock(),
  random: new SystemRandom(),
  log: new MemoryLogger(),
};
const worker = new WsWorkerChannel(options);
const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** A primary that takes links. */
async function openPrimary() {
  const cluster = new WsClusterChannel({ ...options, clock: new SystemClock() });
  const joined = new Collector<string>();
  const heard = new Collector<WorkerMessage>();
  cluster.accept((_link, hello) => {
    joined.add(hello.node.id);
    return { onMessage: (message) => heard.add(message), onClose: () => undefined };
  });
  const server = createServer();
  server.on('upgrade', (request, socket, head) => void cluster.handleUpgrade(request, socket, head));
  return { joined, heard, port: await listen(server) };
}

/** Passes everything on, and keeps what either side said. */
async function openRecorder(target: number) {
  const [client, server]: [Buffer[], Buffer[]] = [[], []];
  const recorder = createTcpServer((socket) => {
    const onward = connect(target, '127.0.0.1');
    for (const end of [socket, onward]) end.on('error', () => undefined);
    socket.on('data', (data) => client.push(Buffer.from(data)));
    onward.on('data', (data) => server.push(Buffer.from(data)));
    socket.pipe(onward).pipe(socket);
  });
  return { client, server, port: await listen(recorder) };
}

const connectTo = (port: number) =>
  worker.connect(`http://127.0.0.1:${port}`, new LinkProbe<PrimaryMessage>(), new AbortController().signal);

describe('a recorded handshake', () => {
  async function record() {
    const primary = await openPrimary();
    const recorder = await openRecorder(primary.port);
    const link = await connectTo(recorder.port);
    link.send(helloOf('n1'));
    link.send({ type: 'draining' });
    await primary.heard.reached(1);
    return { primary, recorder };
  }

  test('lets nobody in when its bytes are sent to the primary again', async () => {
    const { primary, recorder } = await record();
    const replay = connect(primary.port, '127.0.0.1');
    let answer = Buffer.alloc(0);
    replay.on('data', (data) => (answer = Buffer.concat([answer, data])));
    replay.on('error', () => undefined);
    const closed = once(replay, 'close');
    for (const bytes of recorder.client) replay.write(bytes);
    await closed;
    expect(answer.toString('latin1')).toContain('authentication failed');
    expect(primary.joined.values).toEqual(['n1']);
    expect(primary.heard.values.length).toBe(1);
  });

  test('convinces no worker when its bytes are answered again', async () => {
    const { recorder } = await record();
    const said = Buffer.concat(recorder.server);
    // The recorded acceptance of the upgrade belongs to another key: the client would leave at once. It gets a right one.
    const frames = said.subarray(said.indexOf('\r\n\r\n') + 4);
    const impostor = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    const server = createServer();
    server.on('upgrade', (request, socket, head) =>
      impostor.handleUpgrade(request, socket, head, () => void socket.write(frames)),
    );
    await expect(connectTo(await listen(server))).rejects.toThrow('does not know the cluster secret');
  });
});

describe('a primary that says anything', () => {
  const frame = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.json(),
    fc.uint8Array({ maxLength: 200 }),
    fc.constantFrom('{"type":"welcome","term":1}', '{"type":"abort"}', '{"type":"unwatch","job":"x"}'),
  );

  test('no frames, before or after the handshake, end the worker', async () => {
    let script: { proven: boolean; frames: readonly (string | Uint8Array)[] } = { proven: false, frames: [] };
    const hostile = new WebSocketServer({ noServer: true });
    hostile.on('connection', (socket) => {
      const nonce = 'ab'.repeat(32);
      const { proven, frames } = script;
      const speak = (): void => {
        for (const text of frames) socket.send(text);
        socket.close();
      };
      socket.on('error', () => undefined);
      if (!proven) {
        speak();
        return;
      }
      socket.send(JSON.stringify({ nonce }));
      socket.once('message', (data) => {
        const client = parseClientProof(String(data))?.nonce ?? '';
        socket.send(JSON.stringify({ proof: proofOf(options.secret, 'server', { server: nonce, client }) }));
        speak();
      });
    });
    const server = createServer();
    server.on('upgrade', (request, socket, head) =>
      hostile.handleUpgrade(request, socket, head, (socketOf) => hostile.emit('connection', socketOf)),
    );
    const port = await listen(server);
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(frame, { maxLength: 5 }), async (proven, frames) => {
        script = { proven, frames };
        const probe = new LinkProbe<PrimaryMessage>();
        const { signal } = new AbortController();
        const connecting = worker.connect(`http://127.0.0.1:${port}`, probe, signal);
        if (proven) {
          await connecting;
          await probe.closed.reached(1);
          expect(probe.messages.values.length).toBeLessThanOrEqual(frames.length);
        } else await expect(connecting).rejects.toThrow();
      }),
      { numRuns: 80 },
    );
    const good = await openPrimary();
    (await connectTo(good.port)).send(helloOf('n1'));
    await good.joined.reached(1);
  });

  test('no bytes in place of an answer do either', async () => {
    let answer: Uint8Array = Buffer.alloc(0);
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(answer));
    });
    const port = await listen(server);
    const start = fc.constantFrom(
      '',
      'HTTP/1.1 101 Switching Protocols\r\n',
      'HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n',
    );
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 200 }), async (head, bytes) => {
        answer = Buffer.concat([Buffer.from(head), bytes]);
        await expect(connectTo(port)).rejects.toThrow();
      }),
      { numRuns: 80 },
    );
    const good = await openPrimary();
    (await connectTo(good.port)).send(helloOf('n1'));
    await good.joined.reached(1);
  });
});
