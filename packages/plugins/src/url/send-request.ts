import { STATUS_CODES } from 'node:http';
import { got, RequestError, type Response, TimeoutError } from 'got';
import { reasonOf } from '../plugin-protocol.js';
import type { HttpRequest } from './http-request.js';

/** The answer, with its body in memory. */
export interface HttpResponse {
  status: number;
  /** Never empty for known codes, also when the server sent none. */
  statusText: string;
  /** Lower-case names; repeated values joined by a comma. */
  headers: Record<string, string>;
  body: Buffer;
  /** Milliseconds. */
  perf: { total: number; dns: number; connect: number; send: number; wait: number; receive: number };
  bytesSent: number;
}

/** Larger answers are a failure: they are held in memory to be searched. */
export const largestBodyBytes = 64 * 1024 * 1024;

/**
 * Sends the request; resolves with the final answer, whatever its status. Rejects with an Error whose text is the
 * description of the failure (behaviour reference 6.7): `Request Timeout (N ms)`, `DNS: …`, `Connection Refused: …`.
 */
export async function sendRequest(request: HttpRequest): Promise<HttpResponse> {
  const tooLarge = new AbortController();
  try {
    const call = got(request.url, {
      method: request.method,
      headers: request.headers,
      ...(request.body === undefined ? {} : { body: request.body }),
      responseType: 'buffer',
      throwHttpErrors: false,
      retry: { limit: 0 },
      followRedirect: request.follow,
      maxRedirects: 32,
      enableUnixSockets: false,
      https: { rejectUnauthorized: request.verifyCertificate },
      timeout: timeouts(request),
      signal: tooLarge.signal,
    });
    void call.on('downloadProgress', ({ transferred }) => {
      if (transferred > largestBodyBytes) tooLarge.abort();
    });
    return describeResponse(await call, request);
  } catch (error) {
    if (tooLarge.signal.aborted) throw new Error(`Response is larger than ${largestBodyBytes} bytes`);
    throw new Error(describeFailure(error, request));
  }
}

function timeouts(request: HttpRequest): Record<string, number> {
  const chosen: [string, number][] = [
    ['lookup', request.connectTimeoutMs],
    ['connect', request.connectTimeoutMs],
    ['secureConnect', request.connectTimeoutMs],
    ['response', request.firstByteTimeoutMs],
    ['socket', request.idleTimeoutMs],
  ];
  return Object.fromEntries(chosen.filter(([, limitMs]) => limitMs > 0));
}

function describeResponse(response: Response<Buffer>, request: HttpRequest): HttpResponse {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  const phases = response.timings.phases;
  return {
    status: response.statusCode,
    statusText: response.statusMessage || STATUS_CODES[response.statusCode] || 'Unknown',
    headers,
    body: response.body,
    perf: {
      total: phases.total ?? 0,
      dns: phases.dns ?? 0,
      connect: (phases.tcp ?? 0) + (phases.tls ?? 0),
      send: phases.request ?? 0,
      wait: phases.firstByte ?? 0,
      receive: phases.download ?? 0,
    },
    bytesSent: Buffer.byteLength(request.body ?? ''),
  };
}

function describeFailure(error: unknown, request: HttpRequest): string {
  if (!(error instanceof RequestError)) return reasonOf(error);
  const host = new URL(error.options.url ?? request.url).hostname;
  if (error instanceof TimeoutError) {
    const limitMs = timeouts(request)[error.event];
    return `Request Timeout (${limitMs ?? request.firstByteTimeoutMs} ms)`;
  }
  switch (error.code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `DNS: Failed to lookup IP from hostname: ${host}`;
    case 'ECONNREFUSED':
      return `Connection Refused: Failed to connect to host: ${host}`;
    default:
      return error.message || error.code;
  }
}
