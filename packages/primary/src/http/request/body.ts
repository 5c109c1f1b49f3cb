import { parse } from 'node:querystring';
import type { IncomingMessage } from 'node:http';
import { CarillonError } from '@carillon/contract';
import type { Clock } from '@carillon/core';
import { headerOf } from './target.js';

/** A request body as its content type says (behaviour reference 1.2). */
export type RequestBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'json'; readonly value: unknown }
  /** Values are text, or lists of text for repeated keys. */
  | { readonly kind: 'form'; readonly value: Readonly<Record<string, unknown>> }
  /** Any other type: no parameters. */
  | { readonly kind: 'raw'; readonly text: string };

export const noBody: RequestBody = { kind: 'none' };

/** Deepest nesting of a JSON body: far beyond any event, and safe to serialise. */
const maxDepth = 100;
const jsonType = /text|javascript|js|json/i;

/** The client went away before its request was complete: nobody is left to answer. */
export class ClientGone extends Error {}

/** True when the request announces a body. */
export function announcesBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return (length !== undefined && length !== '0') || request.headers['transfer-encoding'] !== undefined;
}

/**
 * Reads the whole body. Throws CarillonError `too_large` beyond `maxBytes` (at once when the length is announced),
 * `api` with HTTP status 400 when it is not complete after `timeoutMs`, and ClientGone.
 */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  timeoutMs: number,
  clock: Clock,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const tooLarge = () =>
      new CarillonError('too_large', `The request body is larger than ${maxBytes} bytes`);
    if (Number(request.headers['content-length']) > maxBytes) {
      reject(tooLarge());
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (action: () => void) => {
      cancelTimer();
      request.off('data', onData).off('end', onEnd).off('close', onClose);
      action();
    };
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) settle(() => reject(tooLarge()));
      else chunks.push(chunk);
    };
    const onEnd = () =>
      settle(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    const onClose = () => settle(() => reject(new ClientGone('The client closed the connection')));
    const late = () => new CarillonError('api', 'The request body was not received in time', 400);
    const cancelTimer = clock.after(timeoutMs, () => settle(() => reject(late())));
    // 'close' follows an error; the listener only keeps the error from being thrown.
    request.on('error', () => undefined);
    request.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}

/**
 * Reads a body by its content type. Throws CarillonError `api`: with HTTP status 400 for malformed JSON, 200 for
 * multipart bodies, which no call takes.
 */
export function parseBody(request: IncomingMessage, bytes: Buffer): RequestBody {
  if (bytes.length === 0) return noBody;
  const type = headerOf(request, 'content-type');
  const encoding = headerOf(request, 'content-encoding').toLowerCase();
  const text = bytes.toString('utf8');
  if (encoding !== '' && encoding !== 'identity') return { kind: 'raw', text };
  if (/^\s*multipart\//i.test(type)) {
    const name = type.split(';', 1)[0]?.trim() ?? '';
    throw new CarillonError('api', `Unsupported Content-Type: ${name}. Please send the parameters as JSON.`);
  }
  if (/x-www-form-urlencoded/i.test(type)) return { kind: 'form', value: { ...parse(text) } };
  return jsonType.test(type) ? { kind: 'json', value: parseJson(text) } : { kind: 'raw', text };
}

function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text);
  } catch (error) {
    const place = /at position \d+/.exec(String(error))?.[0];
    throw malformed(place === undefined ? '' : ` (${place})`);
  }
  clean(value, 0);
  return value;
}

const malformed = (detail: string) =>
  new CarillonError('api', `Malformed JSON in the request body${detail}`, 400);

/** Removes `__proto__` keys, and refuses what is too deep to be serialised later. */
function clean(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > maxDepth) throw malformed(` (nested deeper than ${maxDepth} levels)`);
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) clean(item, depth + 1);
    return;
  }
  if (Object.hasOwn(value, '__proto__')) Reflect.deleteProperty(value, '__proto__');
  for (const item of Object.values(value)) clean(item, depth + 1);
}
