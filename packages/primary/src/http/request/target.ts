import { parse } from 'node:querystring';
import type { IncomingMessage } from 'node:http';

/** The request target, taken apart. */
export interface RequestTarget {
  /** Path as sent, not decoded. */
  readonly path: string;
  /** Path and query as sent: what a redirect repeats. */
  readonly pathAndQuery: string;
  /** Query values: text, or lists of text for repeated keys. Without a prototype. */
  readonly query: Readonly<Record<string, unknown>>;
}

const noQuery: Readonly<Record<string, unknown>> = Object.freeze(Object.create(null));

/** Takes a request target apart. Never throws: undecodable text stays as it is. */
export function readTarget(url: string): RequestTarget {
  const origin = url.startsWith('/') ? '' : (/^[a-z]+:\/\/[^/?#]*/i.exec(url)?.[0] ?? '');
  const hash = url.indexOf('#');
  const pathAndQuery = url.slice(origin.length, hash < 0 ? undefined : hash) || '/';
  const mark = pathAndQuery.indexOf('?');
  if (mark < 0) return { path: pathAndQuery, pathAndQuery, query: noQuery };
  const search = pathAndQuery.slice(mark + 1);
  return {
    path: pathAndQuery.slice(0, mark),
    pathAndQuery,
    query: search === '' ? noQuery : { ...parse(search) },
  };
}

/** The first text under a key of a query or body; '' when there is none. Numbers count as their text. */
export function textOf(fields: Readonly<Record<string, unknown>>, key: string): string {
  if (!Object.hasOwn(fields, key)) return '';
  const value = fields[key];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof first === 'string') return first;
  return typeof first === 'number' ? String(first) : '';
}

/** A header as one text; '' when absent. */
export function headerOf(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}

/** Does the client take gzip? (`gzip;q=0` refuses it.) */
export function acceptsGzip(request: IncomingMessage): boolean {
  const accepted = request.headers['accept-encoding'];
  return typeof accepted === 'string' && /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(accepted);
}
