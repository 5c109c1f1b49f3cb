import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { got, RequestError, TimeoutError } from 'got';

/** One HTTP request as it is. Redirects are not followed. */
export interface ExchangeRequest {
  url: string;
  method: 'GET' | 'POST';
  headers: Readonly<Record<string, string>>;
  body?: string;
  timeoutMs: number;
  connectTimeoutMs: number;
  signal: AbortSignal;
}

/** What became of it. */
export type ExchangeOutcome =
  | { kind: 'answer'; status: number; header(name: string): string; body: Buffer }
  /** No connection: the request was certainly not processed. `hopeless`: another attempt would fail alike. */
  | { kind: 'unsent'; reason: string; hopeless: boolean }
  /** The connection broke or the time was up after the request may have been sent. */
  | { kind: 'broken'; reason: string };

/** An idle connection is given up before the server does so, lest a request meets a closing one. */
const idleMs = 4000;
const unsentCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
]);

/** HTTP over kept-alive connections. */
export class Exchange {
  readonly #http = new HttpAgent({ keepAlive: true, timeout: idleMs });
  readonly #https: HttpsAgent;

  /** `ca`: authorities of https nodes in PEM; undefined: those the system trusts. */
  constructor(ca?: string) {
    this.#https = new HttpsAgent({ keepAlive: true, timeout: idleMs, ...(ca === undefined ? {} : { ca }) });
  }

  /** Never rejects but with the signal's reason, or with an error of the caller's (a malformed header). */
  async send(request: ExchangeRequest): Promise<ExchangeOutcome> {
    try {
      const answer = await got(request.url, {
        method: request.method,
        headers: { ...request.headers },
        ...(request.body === undefined ? {} : { body: request.body }),
        responseType: 'buffer',
        throwHttpErrors: false,
        followRedirect: false,
        retry: { limit: 0 },
        enableUnixSockets: false,
        agent: { http: this.#http, https: this.#https },
        timeout: {
          lookup: request.connectTimeoutMs,
          connect: request.connectTimeoutMs,
          secureConnect: request.connectTimeoutMs,
          request: request.timeoutMs,
        },
        signal: request.signal,
      });
      return {
        kind: 'answer',
        status: answer.statusCode,
        header: (name) => String(answer.headers[name] ?? ''),
        body: answer.body,
      };
    } catch (error) {
      if (request.signal.aborted) throw request.signal.reason;
      if (error instanceof RequestError) return describeFailure(error);
      throw error;
    }
  }

  /** Ends all idle connections. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

function describeFailure(error: RequestError): ExchangeOutcome {
  const reason = error.message === '' ? error.code : error.message;
  if (error instanceof TimeoutError) {
    const connecting = ['lookup', 'connect', 'secureConnect'].includes(error.event);
    return connecting ? { kind: 'unsent', reason, hopeless: false } : { kind: 'broken', reason };
  }
  if (unsentCodes.has(error.code)) return { kind: 'unsent', reason, hopeless: false };
  if (/^(?:CERT_|ERR_TLS_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_SSL_|EPROTO$)/.test(error.code)) {
    return { kind: 'unsent', reason, hopeless: true };
  }
  return { kind: 'broken', reason };
}
