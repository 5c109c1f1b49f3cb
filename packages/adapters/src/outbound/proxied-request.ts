import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect as secure } from 'node:tls';
import type { ProxySettings } from './proxy-settings.js';

type Answered = (response: IncomingMessage) => void;

/** A proxy that does not answer is given up after this time. */
const tunnelTimeoutMs = 30_000;

/**
 * Requests as `node:http` makes them, over the proxy of each URL: plain ones ask it, https ones tunnel through it. The
 * signal ends a tunnel that is being opened.
 */
export function proxiedRequest(proxies: ProxySettings, signal: AbortSignal) {
  return (url: URL, options: RequestOptions, answered?: Answered): ClientRequest => {
    const proxy = proxies.proxyFor(url);
    if (url.protocol === 'https:') {
      const agent = proxy === undefined ? undefined : new TunnelAgent(proxy, signal);
      return httpsRequest(url, agent === undefined ? options : { ...options, agent }, answered);
    }
    if (proxy === undefined) return httpRequest(url, options, answered);
    const headers = { host: url.host, ...options.headers, ...authorization(proxy) };
    return requestOf(proxy)(originOf(proxy), { ...options, path: withoutUser(url), headers }, answered);
  };
}

/** Connects to https servers through a proxy. */
class TunnelAgent extends HttpsAgent {
  readonly #proxy: URL;
  readonly #signal: AbortSignal;

  constructor(proxy: URL, signal: AbortSignal) {
    super();
    this.#proxy = proxy;
    this.#signal = signal;
  }

  override createConnection(
    options: RequestOptions,
    connected?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    const host = options.host ?? '';
    const target = `${host.includes(':') ? `[${host}]` : host}:${options.port ?? 443}`;
    const tunnel = requestOf(this.#proxy)(originOf(this.#proxy), {
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...authorization(this.#proxy) },
      agent: false,
      timeout: tunnelTimeoutMs,
      signal: this.#signal,
    });
    // A socket is not there when there is an error.
    tunnel.once('error', (error) => connected?.(error, undefined as never));
    tunnel.once('timeout', () => tunnel.destroy(new Error('The proxy does not answer')));
    tunnel.once('connect', ({ statusCode = 0 }, socket) => {
      socket.setTimeout(0);
      if (statusCode === 200) {
        connected?.(null, secure({ ...tlsOptions(options), socket }));
        return;
      }
      socket.destroy();
      const refusal = new Error(`The proxy refuses the connection with HTTP ${statusCode}`);
      connected?.(refusal, undefined as never);
    });
    tunnel.end();
  }
}

function tlsOptions({ host, servername, rejectUnauthorized }: RequestOptions) {
  const name = servername ?? host ?? '';
  const isAddress = /^[\d.]+$|:/.test(name);
  return {
    ...(host === null || host === undefined ? {} : { host }),
    ...(isAddress || name === '' ? {} : { servername: name }),
    rejectUnauthorized: rejectUnauthorized !== false,
  };
}

const requestOf = (proxy: URL) => (proxy.protocol === 'https:' ? httpsRequest : httpRequest);
const originOf = (proxy: URL): URL => new URL(proxy.origin);

function withoutUser(url: URL): string {
  return `${url.origin}${url.pathname}${url.search}`;
}

function authorization(proxy: URL): Record<string, string> {
  if (proxy.username === '' && proxy.password === '') return {};
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` };
}
