import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Collector, type ReceivedHook, webHookConformance, type WebHookSubject } from '@carillon/testkit';
import { describe, expect, test } from '@jest/globals';
import { SystemClock } from '../../src/clock/index.js';
import {
  GotWebHookSender,
  type HookReply,
  MemoryWebHookSender,
  readProxySettings,
} from '../../src/outbound/index.js';

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** A real server whose paths answer as told; `answer` may be replaced. */
async function startReceiver() {
  const replies = new Map<string, HookReply>();
  const seen = new Collector<ReceivedHook>();
  const own: { answer: (response: ServerResponse) => void } = { answer: (response) => response.end('ok') };
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request);
    const path = request.url ?? '';
    seen.add({ path, headers: request.headers as Record<string, string>, body });
    const reply = replies.get(path) ?? { status: 200 };
    if (reply === 'silent' || reply === 'dead') return;
    response.writeHead(reply.status, reply.location === undefined ? {} : { location: reply.location });
    own.answer(response);
  };
  const server = createServer((request, response) => void take(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const at = (reply: HookReply): string => {
    const path = `/${replies.size}?q=1`;
    replies.set(path, reply);
    return base + path;
  };
  return { at, seen, close, base, own };
}

async function deadUrl(): Promise<string> {
  const receiver = await startReceiver();
  await receiver.close();
  return `${receiver.base}/`;
}

const reply = (status: number, location?: string): HookReply =>
  location === undefined ? { status } : { status, location };

webHookConformance('GotWebHookSender', async (): Promise<WebHookSubject> => {
  const receiver = await startReceiver();
  return {
    sender: new GotWebHookSender(readProxySettings({})),
    answering: (status, location) => receiver.at(reply(status, location)),
    silent: receiver.at('silent'),
    dead: await deadUrl(),
    received: receiver.seen.values,
    arrived: (count) => receiver.seen.reached(count),
    close: receiver.close,
  };
});

webHookConformance('MemoryWebHookSender', async (): Promise<WebHookSubject> => {
  const sender = new MemoryWebHookSender(new SystemClock());
  const replies = new Map<string, HookReply>([
    ['http://h/silent', 'silent'],
    ['http://h/dead', 'dead'],
  ]);
  const seen = new Collector<ReceivedHook>();
  sender.reply = (request) => {
    const path = new URL(request.url).pathname;
    seen.add({ path, headers: { ...request.headers }, body: request.body });
    return replies.get(request.url) ?? 'dead';
  };
  return {
    sender,
    answering: (status, location) => {
      const url = `http://h/${replies.size}`;
      replies.set(url, reply(status, location));
      return url;
    },
    silent: 'http://h/silent',
    dead: 'http://h/dead',
    received: seen.values,
    arrived: (count) => seen.reached(count),
    close: () => Promise.resolve(),
  };
});

describe('GotWebHookSender', () => {
  const request = (url: string, timeoutMs = 5_000) => ({
    url,
    headers: { 'content-type': 'application/json' },
    body: '{}\n',
    timeoutMs,
    follow: 0,
    rejectUnauthorized: true,
  });
  const never = new AbortController().signal;

  test('closes its connection, and asks for nothing compressed', async () => {
    const receiver = await startReceiver();
    await new GotWebHookSender(readProxySettings({})).post(request(receiver.base), never);
    expect(receiver.seen.values[0]?.headers).toMatchObject({ connection: 'close', 'content-length': '3' });
    expect(receiver.seen.values[0]?.headers).not.toHaveProperty('accept-encoding');
    await receiver.close();
  });

  test('an answer without end is not read to its end', async () => {
    const receiver = await startReceiver();
    receiver.own.answer = (response) => {
      const more = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(16_384), more);
      };
      more();
    };
    expect(
      await new GotWebHookSender(readProxySettings({})).post(request(receiver.base), never),
    ).toMatchObject({ sent: true });
    await receiver.close();
  });

  test('an answer that stops half-way ends with the time limit', async () => {
    const receiver = await startReceiver();
    receiver.own.answer = (response) => response.write('x');
    expect(
      await new GotWebHookSender(readProxySettings({})).post(request(receiver.base, 100), never),
    ).toMatchObject({
      sent: false,
      code: 'timeout',
    });
    await receiver.close();
  });
});
