import type { HookRequest, SendResult, WebHookSender } from '@carillon/core';
import type { Got } from 'got';
import { attempt, type SendFailure, timedOut } from './attempt.js';
import { hookResult } from './hook-status.js';
import { proxiedRequest } from './proxied-request.js';
import type { ProxySettings } from './proxy-settings.js';

type RequestStream = ReturnType<Got['stream']>;

/** An answer is read to its end so that the receiver is not cut off, but not more of it than this. */
const longestAnswerBytes = 65_536;
/** Faults of the request itself. */
const lastingCodes: ReadonlySet<string> = new Set([
  'ERR_INVALID_ARG_VALUE',
  'ERR_INVALID_CHAR',
  'ERR_INVALID_HTTP_TOKEN',
  'ERR_INVALID_URL',
  'ERR_TOO_MANY_REDIRECTS',
  'ERR_UNSUPPORTED_PROTOCOL',
]);

/** Web hooks over HTTP, each on a connection of its own, through the proxies given. got is loaded for the first one. */
export class GotWebHookSender implements WebHookSender {
  readonly #proxies: ProxySettings;

  constructor(proxies: ProxySettings) {
    this.#proxies = proxies;
  }

  post(request: HookRequest, signal: AbortSignal): Promise<SendResult> {
    return attempt(
      signal,
      request.timeoutMs * 2,
      (cut) => send(request, this.#proxies, cut),
      (error) => explain(error, request),
    );
  }
}

async function send(request: HookRequest, proxies: ProxySettings, signal: AbortSignal): Promise<SendResult> {
  const limit = request.timeoutMs;
  const { got } = await import('got');
  const stream = got.stream(request.url, {
    method: 'POST',
    headers: { ...request.headers, connection: 'close' },
    body: request.body,
    throwHttpErrors: false,
    decompress: false,
    retry: { limit: 0 },
    followRedirect: request.follow > 0,
    maxRedirects: request.follow,
    enableUnixSockets: false,
    request: proxiedRequest(proxies, signal),
    https: { rejectUnauthorized: request.rejectUnauthorized },
    timeout: { lookup: limit, connect: limit, secureConnect: limit, send: limit, response: limit },
    signal,
  });
  try {
    const status = await statusOf(stream);
    await readAnswer(stream);
    return hookResult(status);
  } finally {
    stream.destroy();
  }
}

function statusOf(stream: RequestStream): Promise<number> {
  return new Promise((resolve, reject) => {
    stream.once('response', (response: { statusCode: number }) => resolve(response.statusCode));
    // Stays: an error after the answer changes nothing.
    stream.on('error', reject);
  });
}

function readAnswer(stream: RequestStream): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > longestAnswerBytes) resolve();
    });
    for (const event of ['end', 'close', 'error']) stream.once(event, () => resolve());
  });
}

function explain(error: unknown, request: HookRequest): SendFailure {
  if (error instanceof Error && error.name === 'TimeoutError') return timedOut(request.timeoutMs);
  const code = codeOf(error);
  const description = error instanceof Error ? error.message : String(error);
  return { sent: false, code, description, retryable: !lastingCodes.has(code) };
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'network';
}
