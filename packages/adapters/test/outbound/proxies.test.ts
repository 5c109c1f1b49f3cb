import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Collector, deferred } from '@carillon/testkit';
import { describe, expect, test } from '@jest/globals';
import { GotWebHookSender, readProxySettings } from '../../src/outbound/index.js';

describe('readProxySettings', () => {
  const all = {
    http_proxy: 'http://plain:3128',
    HTTPS_PROXY: 'secure:3129',
    no_proxy: 'in.test, .low.test,one.test:8080',
  };
  test.each([
    [{}, 'http://a.test/', undefined],
    [all, 'http://a.test/', 'http://plain:3128/'],
    [all, 'https://a.test/', 'http://secure:3129/'],
    [all, 'https://in.test/', undefined],
    [all, 'https://x.in.test/', undefined],
    [all, 'https://within.test/', 'http://secure:3129/'],
    [all, 'http://LOW.test/', undefined],
    [all, 'http://one.test:8080/', undefined],
    [all, 'http://one.test/', 'http://plain:3128/'],
    [{ ...all, no_proxy: '*' }, 'http://a.test/', undefined],
    [{ all_proxy: 'http://any:1' }, 'https://a.test/', 'http://any:1/'],
    [{ http_proxy: 'http://small:1', HTTP_PROXY: 'http://capital:1' }, 'http://a.test/', 'http://small:1/'],
    [{ http_proxy: 'socks5://s:1' }, 'http://a.test/', undefined],
    [{ http_proxy: 'http://' }, 'http://a.test/', undefined],
  ])('%j: %s through %s', (environment, url, proxy) => {
    expect(readProxySettings(environment).proxyFor(new URL(url))?.href).toBe(proxy);
  });
});

/** A proxy that keeps what it is asked; tunnels are refused, opened into nothing, or not answered. */
async function startProxy(tunnels: 'open' | 'refused' | 'silent' = 'refused') {
  const closed = deferred();
  const asked = new Collector<{ line: string; headers: IncomingMessage['headers'] }>();
  const tunnelled = new Collector<Buffer>();
  const note = ({ method = '', url = '', headers }: IncomingMessage): void =>
    asked.add({ line: `${method} ${url}`, headers });
  const server = createServer((request, response) => {
    note(request);
    request.resume();
    response.end();
  });
  const sockets: Duplex[] = [];
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    note(request);
    sockets.push(socket);
    socket.once('end', () => closed.resolve());
    socket.on('error', () => undefined);
    socket.once('data', (bytes: Buffer) => {
      tunnelled.add(bytes);
      socket.destroy();
    });
    if (tunnels === 'open') socket.write('HTTP/1.1 200 OK\r\n\r\n');
    if (tunnels === 'refused') socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://us%40er:pass@127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sender = new GotWebHookSender(readProxySettings({ all_proxy: address }));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
    });
  return { asked, tunnelled, sender, close, tunnelClosed: closed.promise };
}

describe('GotWebHookSender behind a proxy', () => {
  const never = new AbortController().signal;
  const request = (url: string) => ({
    url,
    headers: { 'x-own': 'ok' },
    body: '{}\n',
    timeoutMs: 5_000,
    follow: 0,
    rejectUnauthorized: true,
  });
  const credentials = `Basic ${Buffer.from('us@er:pass').toString('base64')}`;

  test('asks it for plain addresses', async () => {
    const proxy = await startProxy();
    const answer = await proxy.sender.post(request('http://u:p@hook.test:81/x?a=1'), never);
    expect(answer).toMatchObject({ sent: true });
    expect(proxy.asked.values).toMatchObject([
      {
        line: 'POST http://hook.test:81/x?a=1',
        headers: {
          host: 'hook.test:81',
          'x-own': 'ok',
          'proxy-authorization': credentials,
          authorization: `Basic ${Buffer.from('u:p').toString('base64')}`,
        },
      },
    ]);
    await proxy.close();
  });

  test('speaks TLS through its tunnel, where headers cannot be read', async () => {
    const proxy = await startProxy('open');
    expect(await proxy.sender.post(request('https://hook.test/x'), never)).toMatchObject({
      sent: false,
      retryable: true,
    });
    expect(proxy.asked.values).toEqual([
      {
        line: 'CONNECT hook.test:443',
        headers: expect.objectContaining({ host: 'hook.test:443', 'proxy-authorization': credentials }),
      },
    ]);
    expect(proxy.asked.values[0]?.headers).not.toHaveProperty('x-own');
    // The first byte of a TLS handshake, and the name it asks for.
    expect(proxy.tunnelled.values[0]?.[0]).toBe(0x16);
    expect(proxy.tunnelled.values[0]?.includes('hook.test')).toBe(true);
    await proxy.close();
  });

  test('that does not answer leaves nothing open when the attempt is broken off', async () => {
    const proxy = await startProxy('silent');
    const controller = new AbortController();
    const attempt = proxy.sender.post(request('https://hook.test/'), controller.signal);
    await proxy.asked.reached(1);
    controller.abort();
    expect(await attempt).toMatchObject({ code: 'aborted' });
    await proxy.tunnelClosed;
    await proxy.close();
  });

  test('that refuses the tunnel fails, and may be tried again', async () => {
    const proxy = await startProxy();
    expect(await proxy.sender.post(request('https://hook.test/'), never)).toMatchObject({
      sent: false,
      retryable: true,
      description: 'The proxy refuses the connection with HTTP 403',
    });
    await proxy.close();
  });
});
