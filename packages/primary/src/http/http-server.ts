import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { AddressInfo } from 'node:net';
import type { Clock, Logger } from '@carillon/core';
import type { ApiHandler } from './api-handler.js';
import type { HttpApp } from './http-app.js';

/** Takes over a connection that wants another protocol, or answers false. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;

export interface HttpServerDeps {
  api: ApiHandler;
  app: HttpApp;
  /** Asked in turn; a connection none of them takes is refused with 404. */
  upgrades?: readonly UpgradeHandler[];
  clock: Clock;
  log: Logger;
  /** Serves over TLS alone. */
  certificate?: ServerCertificate | undefined;
  limits?: Partial<HttpLimits>;
}

/** Both in PEM; the certificate with the chain to its root. */
export interface ServerCertificate {
  cert: string | Buffer;
  key: string | Buffer;
}

/** Limits of a connection before the API sees anything; times by the system's clock. */
export interface HttpLimits {
  /** From the connection, or the first byte of a further request, to the end of the headers. */
  headersTimeoutMs: number;
  /** The same to the end of the body. The API has a limit of its own; this one ends what it never gets to see. */
  requestTimeoutMs: number;
  /** How often the two are looked after. */
  checkEveryMs: number;
  /** A connection on which nothing moves while an answer is due. */
  stalledMs: number;
  /** From the connection to the end of the TLS handshake. */
  handshakeMs: number;
  mostHeaders: number;
}

const presetLimits: HttpLimits = {
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 60_000,
  checkEveryMs: 5_000,
  stalledMs: 120_000,
  handshakeMs: 10_000,
  mostHeaders: 200,
};

/** The one HTTP server of a node. */
export interface HttpServer {
  readonly server: Server;
  /** Resolves with the port when connections are accepted; rejects when the address cannot be had. Port 0: any. */
  listen(port: number, host: string): Promise<number>;
  /** Connections from now on are served with this certificate. Throws when it cannot be used. Only over TLS. */
  renewCertificate(certificate: ServerCertificate): void;
  /**
   * Accepts no more connections, lets requests under way finish for `deadlineMs`, then cuts what is left. Resolves
   * when everything is closed.
   */
  close(deadlineMs: number): Promise<void>;
}

/** Longer than the usual idle limit of load balancers, so that they close first. */
const keepAliveTimeoutMs = 65_000;
const maxHeaderBytes = 32_768;

/**
 * Puts the API ahead of everything else, so that its requests pass through no chain of middleware. Malformed HTTP
 * gets a JSON envelope and a closed connection.
 */
export function createHttpServer(deps: HttpServerDeps): HttpServer {
  const { api, app, upgrades = [], clock, log, certificate } = deps;
  const limits = { ...presetLimits, ...deps.limits };
  let closing = false;
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (closing) response.shouldKeepAlive = false;
    response.on('error', (error) => log.log('debug', 'A response failed', { error: String(error) }));
    if (request.rawHeaders.length > 2 * limits.mostHeaders) refuseHeaders(request.socket, clock);
    else api(request, response, () => app(request, response));
  };
  const server = open(certificate, limits, onRequest);
  // Connections that have left HTTP are no longer the server's to cut.
  const upgraded = new Set<Duplex>();
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseMalformed(error, socket, clock));
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => upgraded.delete(socket));
    if (!upgrades.some((upgrade) => upgrade(request, socket, head)))
      refuse(socket, '404 Not Found', 'Not found', clock);
  });
  return {
    server,
    listen: (port, host) => listen(server, port, host),
    renewCertificate: (renewed) => {
      if ('setSecureContext' in server) server.setSecureContext({ ...renewed });
    },
    close: (deadlineMs) => {
      closing = true;
      const cutUpgraded = () => {
        for (const socket of upgraded) socket.destroy();
      };
      // Last, since requests under way may be on their way to the primary.
      return close(server, deadlineMs, clock, cutUpgraded).finally(() => api.close());
    },
  };
}

function open(
  certificate: ServerCertificate | undefined,
  limits: HttpLimits,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Server | TlsServer {
  const options = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    noDelay: true,
  };
  const server =
    certificate === undefined
      ? createServer(options, onRequest)
      : createTlsServer(
          { ...options, ...certificate, handshakeTimeout: limits.handshakeMs, minVersion: 'TLSv1.2' },
          onRequest,
        );
  // Those above the limit of the API are refused by it, not cut off silently.
  server.maxHeadersCount = 0;
  server.timeout = limits.stalledMs;
  return server;
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function close(server: Server, deadlineMs: number, clock: Clock, cutUpgraded: () => void): Promise<void> {
  return new Promise((resolve) => {
    const cancelTimer = clock.after(deadlineMs, () => {
      server.closeAllConnections();
      cutUpgraded();
    });
    server.close(() => {
      cancelTimer();
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** Answers what is not HTTP, too large in its headers, or too slow; then closes. A failed TLS handshake gets no answer. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex, clock: Clock): void {
  if (error.code === 'HPE_HEADER_OVERFLOW') refuseHeaders(socket, clock);
  else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    refuse(socket, '408 Request Timeout', 'The request was not received in time', clock);
  } else if (error.code?.startsWith('HPE_') === true) {
    refuse(socket, '400 Bad Request', 'Malformed HTTP request', clock);
  } else socket.destroy();
}

function refuseHeaders(socket: Duplex, clock: Clock): void {
  refuse(socket, '431 Request Header Fields Too Large', 'The request headers are too large', clock);
}

/** Time a refused client has to read why and to close. */
const lingerMs = 1_000;

function refuse(socket: Duplex, status: string, description: string, clock: Clock): void {
  socket.on('error', () => socket.destroy());
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = `${JSON.stringify({ code: 'api', description })}\n`;
  const head = `HTTP/1.1 ${status}\r\nServer: Carillon\r\nContent-Type: application/json\r\n`;
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
  const cancelTimer = clock.after(lingerMs, () => socket.destroy());
  socket.once('close', cancelTimer);
}
