import {
  Agent as HttpAgent,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Cancel, Clock, Logger, PrimaryInfo } from '@carillon/core';
import { headerOf } from '../request/target.js';
import { vouchedAddressHeader } from '../request/vouched-address.js';

/** Marks a request as passed on by a node: it is never passed on again. Its value is that node's id. */
export const forwardedHeader = 'x-carillon-forwarded';

/** Headers that concern one connection only. */
const hopHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'host',
]);

/** What this node says of the request itself, and nobody else may. */
const ownHeaders = new Set([forwardedHeader, vouchedAddressHeader]);

/**
 * An old primary that is out of reach may never say so: after two looks at which another one is known, its answer is
 * not waited for any more. One that steps down has the time between them to answer.
 */
const lookMs = 1_000;
const looksAtAnother = 2;

export interface ForwarderDeps {
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Longest time until the primary begins to answer, and longest silence within its answer. */
  readonly timeoutMs: number;
  /** False as soon as another node is known to be the primary. */
  readonly isPresent: (primary: PrimaryInfo) => boolean;
  /** Certificates, in PEM, that the primary's may be signed by; undefined: those the system trusts. */
  readonly ca: string | undefined;
  /** What the primary believes about where a request comes from. */
  readonly vouchFor: (request: IncomingMessage) => string | undefined;
}

/** Passes requests on to the primary and streams the answers back, over kept-alive connections. */
export class Forwarder {
  readonly #deps: ForwarderDeps;
  readonly #http = new HttpAgent({ keepAlive: true, maxFreeSockets: 64 });
  readonly #https: HttpsAgent;

  constructor(deps: ForwarderDeps) {
    this.#deps = deps;
    const { ca } = deps;
    this.#https = new HttpsAgent({
      keepAlive: true,
      maxFreeSockets: 64,
      ...(ca === undefined ? {} : { ca }),
    });
  }

  /**
   * Sends the request, with its body as it comes, to the primary. `onFailure` is called, once, when no answer can be
   * had, and told whether the request may have arrived; nothing has been sent to the client then. An answer that breaks
   * off cuts the client's connection.
   */
  forward(
    request: IncomingMessage,
    response: ServerResponse,
    pathAndQuery: string,
    primary: PrimaryInfo,
    onFailure: (mayHaveArrived: boolean) => void,
  ): void {
    const url = new URL(primary.url);
    const secure = url.protocol === 'https:';
    const outgoing = (secure ? httpsRequest : httpRequest)({
      agent: secure ? this.#https : this.#http,
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || (secure ? 443 : 80),
      method: request.method,
      path: url.pathname.replace(/\/$/, '') + pathAndQuery,
      headers: this.#headers(request, url.host),
    });
    let mayHaveArrived = false;
    outgoing.on('socket', (socket) => {
      const onConnected = () => {
        mayHaveArrived = true;
      };
      if (outgoing.reusedSocket) onConnected();
      else socket.once(secure ? 'secureConnect' : 'connect', onConnected);
    });
    const fail = (reason: string) => {
      outgoing.destroy();
      this.#deps.log.log('warn', 'A request could not be forwarded', { url: primary.url, reason });
      if (response.headersSent) response.destroy();
      else onFailure(mayHaveArrived);
    };
    this.#watch(outgoing, response, primary, fail);
    outgoing.on('response', (answer) => {
      if (response.destroyed || response.headersSent) {
        answer.resume();
        return;
      }
      response.writeHead(answer.statusCode ?? 502, endToEndHeaders(answer));
      answer.on('aborted', () => response.destroy());
      answer.pipe(response);
    });
    request.pipe(outgoing);
  }

  /** Closes all connections to the primary; requests under way fail. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  /** Watches one exchange: its failure is told once, and its time limit restarts with each piece of the answer. */
  #watch(
    outgoing: ReturnType<typeof httpRequest>,
    response: ServerResponse,
    primary: PrimaryInfo,
    fail: (reason: string) => void,
  ): void {
    const { clock, isPresent, timeoutMs } = this.#deps;
    let cancelTimer: Cancel = () => undefined;
    let over = false;
    let looks = 0;
    const cancelLooks = clock.every(lookMs, () => {
      looks = isPresent(primary) ? 0 : looks + 1;
      if (looks === looksAtAnother) end('another node has become the primary');
    });
    const end = (reason?: string) => {
      if (over) return;
      over = true;
      cancelTimer();
      cancelLooks();
      if (reason !== undefined) fail(reason);
    };
    const restart = () => {
      cancelTimer();
      if (!over) cancelTimer = clock.after(timeoutMs, () => end('no answer in time'));
    };
    restart();
    outgoing.on('error', (error) => end(error.message));
    outgoing.on('response', (answer) => {
      cancelLooks();
      answer.on('data', restart);
      answer.on('end', () => end());
    });
    response.on('close', () => {
      end();
      outgoing.destroy();
    });
  }

  #headers(request: IncomingMessage, host: string): string[] {
    const headers = ['Host', host];
    for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
      const name = request.rawHeaders[index] ?? '';
      const lower = name.toLowerCase();
      if (hopHeaders.has(lower) || lower.startsWith('x-forwarded-') || ownHeaders.has(lower)) continue;
      headers.push(name, request.rawHeaders[index + 1] ?? '');
    }
    const before = headerOf(request, 'x-forwarded-for');
    const client = request.socket.remoteAddress ?? 'unknown';
    headers.push('X-Forwarded-For', before === '' ? client : `${before}, ${client}`);
    headers.push('X-Forwarded-Host', headerOf(request, 'x-forwarded-host') || headerOf(request, 'host'));
    headers.push('X-Forwarded-Proto', headerOf(request, 'x-forwarded-proto') || protocolOf(request));
    headers.push(forwardedHeader, this.#deps.nodeId);
    const vouched = this.#deps.vouchFor(request);
    if (vouched !== undefined) headers.push(vouchedAddressHeader, vouched);
    return headers;
  }
}

const protocolOf = ({ socket }: IncomingMessage): string => ('encrypted' in socket ? 'https' : 'http');

function endToEndHeaders(answer: IncomingMessage): string[] {
  const headers: string[] = [];
  for (let index = 0; index + 1 < answer.rawHeaders.length; index += 2) {
    const name = answer.rawHeaders[index] ?? '';
    if (!hopHeaders.has(name.toLowerCase())) headers.push(name, answer.rawHeaders[index + 1] ?? '');
  }
  return headers;
}
