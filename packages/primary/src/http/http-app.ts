import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type ErrorRequestHandler, type Response } from 'express';
import type { Cancel, Clock, Logger } from '@carillon/core';
import { openApiDocument, openApiPath } from '@carillon/contract';
import type { Standing } from '../office.js';
import { pagePolicy } from './reply/reply.js';

export interface HttpAppDeps {
  standing: Standing;
  clock: Clock;
  log: Logger;
  /** Resolves when this node can do its work: the store answers and takes writes. Rejects with the reason. */
  checkReady: () => Promise<void>;
  /** Of the program, for the description of the API. */
  version: string;
  /** All metrics in the text format of Prometheus. */
  metrics: () => string | Promise<string>;
}

export type HttpApp = (request: IncomingMessage, response: ServerResponse) => void;

/** Longest time a readiness check may take. */
const readyTimeoutMs = 3_000;

/**
 * What a node serves beside the API, without a credential: `/health/live` (the process answers), `/health/ready`
 * (it can do its work), `/health/primary` (200 on the primary only, for load balancers), `/metrics`, and the API's own
 * description (OpenAPI). Other
 * paths answer 404 as text. Reasons for failure are logged, not shown.
 */
export function createHttpApp(deps: HttpAppDeps): HttpApp {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use((_request, response, next) => {
    response.set({
      Server: 'Carillon',
      'Access-Control-Allow-Origin': '*',
      'Cache-Control': 'no-store',
      'Content-Security-Policy': pagePolicy,
      'X-Content-Type-Options': 'nosniff',
    });
    next();
  });
  app.get('/health/live', (_request, response) => {
    response.json({ status: 'live' });
  });
  app.get('/health/ready', (_request, response) => answerReady(deps, response));
  app.get('/health/primary', (_request, response) => answerPrimary(deps.standing, response));
  app.get('/metrics', async (_request, response) => {
    response.type('text/plain; version=0.0.4; charset=utf-8').send(await deps.metrics());
  });
  const description = JSON.stringify(openApiDocument(deps.version), undefined, 2);
  app.get(openApiPath, (_request, response) => {
    response.type('application/json').send(description);
  });
  app.use((request, response) => {
    sendText(response, 404, `404 Not Found: ${request.path}`);
  });
  app.use(answerFailure(deps.log));
  return (request, response) => {
    app(request, response);
  };
}

async function answerReady({ checkReady, clock, log }: HttpAppDeps, response: Response): Promise<void> {
  try {
    await withTimeout(clock, readyTimeoutMs, checkReady());
    response.json({ status: 'ready' });
  } catch (error) {
    log.log('warn', 'This node is not ready', {
      error: error instanceof Error ? error.message : String(error),
    });
    response.status(503).set('Retry-After', '1').json({ status: 'unready' });
  }
}

function answerPrimary(standing: Standing, response: Response): void {
  const office = standing.office();
  if (office !== undefined) {
    response.json({ status: 'primary', term: office.session.term });
    return;
  }
  const primary = standing.primary();
  const isOther = primary !== undefined && primary.id !== standing.nodeId;
  response.status(503).json({ status: 'not primary', ...(isOther ? { primary: primary.url } : {}) });
}

function answerFailure(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    const status = statusOf(error);
    if (status === 500) {
      log.log('error', 'A page failed', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
    if (response.headersSent) response.destroy();
    else sendText(response, status, status === 500 ? '500 Internal Server Error' : `${status} Bad Request`);
  };
}

/** Faults of the request carry a status of their own, such as a path that cannot be decoded. */
function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}

function sendText(response: Response, status: number, text: string): void {
  response.status(status).type('text/plain').send(`${text}\n`);
}

function withTimeout<T>(clock: Clock, timeoutMs: number, work: Promise<T>): Promise<T> {
  let cancelTimer: Cancel = () => undefined;
  const late = new Promise<never>((_resolve, reject) => {
    cancelTimer = clock.after(timeoutMs, () => reject(new Error(`no answer after ${timeoutMs} ms`)));
  });
  return Promise.race([work, late]).finally(() => cancelTimer());
}
