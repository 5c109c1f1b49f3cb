import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzip } from 'node:zlib';
import { CarillonError, RateError } from '@carillon/contract';
import type { Clock } from '@carillon/core';
import { acceptsGzip, textOf } from '../request/target.js';

/** Header names and values in turn. */
export type HeaderList = readonly string[];

/** How the client wants its JSON (behaviour reference 1.4). */
export interface ReplyForm {
  /** Function to call with the answer (JSONP). */
  readonly callback?: string;
  /** Indent with tabs. */
  readonly pretty: boolean;
  readonly gzip: boolean;
}

/** Bodies from this size on are compressed for clients that accept it; below, it costs more than it saves. */
const gzipFromBytes = 32_768;
const callbackPattern = /^[A-Za-z_$][\w$.]{0,127}$/;

/** Headers of every answer. */
export const commonHeaders: HeaderList = [
  'Access-Control-Allow-Origin',
  '*',
  'Server',
  'Carillon',
  'X-Content-Type-Options',
  'nosniff',
];
/** Content-Security-Policy of what a browser may show as a page: whatever it holds, nothing of it runs or loads. */
export const pagePolicy = "default-src 'none'; frame-ancestors 'none'; sandbox";
const jsonHeaders: HeaderList = [...commonHeaders, 'Content-Type', 'application/json'];
const scriptHeaders: HeaderList = [...commonHeaders, 'Content-Type', 'text/javascript; charset=utf-8'];

/** Answer of a call without fields of its own. */
export const bareSuccess = '{"code":0}';

/** Wishes without JSONP: for errors in the wishes themselves. */
export const plainForm: ReplyForm = { pretty: false, gzip: false };

/** Reads the wishes. JSONP is for GET only. Throws CarillonError `api` for a callback that is no identifier. */
export function readReplyForm(request: IncomingMessage, query: Readonly<Record<string, unknown>>): ReplyForm {
  const form = { pretty: textOf(query, 'pretty') === '1', gzip: acceptsGzip(request) };
  if (request.method !== 'GET' || !Object.hasOwn(query, 'callback')) return form;
  const callback = query['callback'];
  if (typeof callback !== 'string' || !callbackPattern.test(callback)) {
    throw new CarillonError('api', 'Malformed parameter value: callback');
  }
  return { ...form, callback };
}

/**
 * Sends a JSON text, in the form the client wants. Does nothing when the client has gone or was answered already.
 * For HEAD only the headers go out.
 */
export function sendJson(
  response: ServerResponse,
  form: ReplyForm,
  status: number,
  json: string,
  extra: HeaderList = [],
): void {
  const text = formatBody(form, json);
  const bytes = Buffer.byteLength(text);
  const base = form.callback === undefined ? jsonHeaders : scriptHeaders;
  if (bytes < gzipFromBytes) {
    write(response, status, text, bytes, [...base, ...extra]);
    return;
  }
  const headers = [...base, ...extra, 'Vary', 'Accept-Encoding'];
  if (!form.gzip) {
    write(response, status, text, bytes, headers);
    return;
  }
  gzip(text, { level: 1 }, (error, packed) => {
    if (error === null)
      write(response, status, packed, packed.length, [...headers, 'Content-Encoding', 'gzip']);
    else write(response, status, text, bytes, headers);
  });
}

function write(
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  bytes: number,
  headers: string[],
): void {
  if (response.headersSent || response.destroyed) return;
  headers.push('Content-Length', String(bytes));
  response.writeHead(status, headers);
  response.end(body);
}

/** How long a refused upload is still taken in, so that its sender gets to read the refusal. */
const lingerMs = 1_000;

/**
 * Refuses a request whose body has not been read: answers at once, takes in what still comes for a moment, then
 * closes the connection. Closing with unread data would make the client's system drop the answer.
 */
export function sendRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  form: ReplyForm,
  error: CarillonError,
  clock: Clock,
): void {
  if (response.headersSent || response.destroyed) return;
  const { status, json, headers } = describeError(error);
  const text = formatBody(form, json);
  const base = form.callback === undefined ? jsonHeaders : scriptHeaders;
  const length = String(Buffer.byteLength(text));
  response.shouldKeepAlive = false;
  response.writeHead(status, [...base, ...headers, 'Content-Length', length]);
  response.write(text);
  const finish = () => {
    cancelTimer();
    request.off('end', finish).off('close', finish);
    response.end();
  };
  const cancelTimer = clock.after(lingerMs, finish);
  request.once('end', finish).once('close', finish);
  request.resume();
}

function formatBody(form: ReplyForm, json: string): string {
  const text = form.pretty ? JSON.stringify(JSON.parse(json), undefined, '\t') : json;
  if (form.callback === undefined) return `${text}\n`;
  // The two line separators end a line in older JavaScript; `<` would end a script element the answer was copied into;
  // the comment defuses bodies read as another format.
  const safe = text
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029')
    .replaceAll('<', '\\u003c');
  return `/**/${form.callback}(${safe});\n`;
}

/** Headers and body of an expected failure. */
export function describeError(error: CarillonError): { status: number; json: string; headers: HeaderList } {
  return {
    status: error.httpStatus,
    json: JSON.stringify({ code: error.code, description: error.message }),
    headers: retryAfter(error),
  };
}

function retryAfter(error: CarillonError): HeaderList {
  if (error instanceof RateError) return ['Retry-After', String(error.retryAfterSec)];
  return error.httpStatus === 503 ? ['Retry-After', '1'] : [];
}

/** Answers a CORS preflight, or any other OPTIONS request (behaviour reference 1.2). */
export function sendOptions(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, [
    'Access-Control-Allow-Origin',
    request.headers.origin ?? '*',
    'Access-Control-Allow-Methods',
    'POST, GET, HEAD, OPTIONS',
    'Access-Control-Allow-Headers',
    String(request.headers['access-control-request-headers'] ?? '*'),
    'Access-Control-Max-Age',
    '1728000',
    'Server',
    'Carillon',
    'Content-Length',
    '0',
  ]);
  response.end();
}
