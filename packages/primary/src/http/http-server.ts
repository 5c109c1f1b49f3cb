import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
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
}

/** The one HTTP server of a node. */
export interface HttpServer {
  readonly server: Server;
  /** Resolves with the port when connections are accepted; rejects when the address cannot be had. Port 0: any. */
  listen(port: number, host: string): Promise<number>;
  /**
   * Accepts no more connections, lets requests under way finish for `deadlineMs`, then cuts what is left. Resolves
   * when everything is closed.
   */
  close(deadlineMs: number): Promise<void>;
}

/** Longer than the usual idle limit of load balancers, so that they close first. */
const keepAliveTimeoutMs = 65_000;
const headersTimeoutMs = 15_000;
/** The API has a limit of its own; this one ends what it never gets to see. */
const requestTimeoutMs = 60_000;
const maxHeaderBytes = 32_768;

/**
 * Puts the API ahead of everything else, so that its requests pass through no chain of middleware. Malformed HTTP
 * gets a JSON envelope and a closed connection.
 */
export function createHttpServer({ api, app, upgrades = [], clock, log }: HttpServerDeps): HttpServer {
  let closing = false;
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: 5_000,
      noDelay: true,
    },
    (request: IncomingMessage, response: ServerResponse) => {
      if (closing) response.shouldKeepAlive = false;
      response.on('error', (error) => log.log('debug', 'A response failed', { error: String(error) }));
      api(request, response, () => app(request, response));
    },
  );
  // Connections that have left HTTP are no longer the server's to cut.
  const upgraded = new Set<Duplex>();
  server.on('clientError', refuseMalformed);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgraded.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => upgraded.delete(socket));
    if (!upgrades.some((upgrade) => upgrade(request, socket, head)))
      refuse(socket, '404 Not Found', 'Not found');
  });
  return {
    server,
    listen: (port, host) => listen(server, port, host),
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

/** Answers what is not HTTP, too large in its headers, or too slow; then closes. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    refuse(socket, '431 Request Header Fields Too Large', 'The request headers are too large');
  } else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    refuse(socket, '408 Request Timeout', 'The request was not received in time');
  } else refuse(socket, '400 Bad Request', 'Malformed HTTP request');
}

function refuse(socket: Duplex, status: string, description: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = `${JSON.stringify({ code: 'api', description })}\n`;
  const head = `HTTP/1.1 ${status}\r\nServer: Carillon\r\nContent-Type: application/json\r\n`;
  socket.end(`${head}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}
