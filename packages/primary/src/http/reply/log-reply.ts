import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Readable, type Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { LogReply } from '../calls/index.js';
import { commonHeaders, pagePolicy } from './reply.js';
import { acceptsGzip } from '../request/target.js';

/** A client that takes nothing for this long is let go. */
const stalledMs = 60_000;

/** A log whose first bytes have arrived, so that whoever sends it knows that it can be read. */
export interface OpenLog {
  readonly reply: LogReply;
  readonly bytes: AsyncGenerator<Uint8Array>;
}

/** Waits for the first bytes of a log. Rejects when it cannot be read. */
export async function openLog(reply: LogReply): Promise<OpenLog> {
  const chunks = reply.bytes[Symbol.asyncIterator]();
  const first = await chunks.next();
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      for (let next = first; next.done !== true; next = await chunks.next()) yield next.value;
    } finally {
      await chunks.return?.();
    }
  }
  return { reply, bytes: all() };
}

/**
 * Streams a log as text (behaviour reference 2.2, get_job_log): compressed logs as they are to clients that accept
 * gzip, unpacked to others. Resolves when all is sent; rejects when the log breaks off, after the connection
 * was cut so that the client notices.
 */
export async function sendLog(
  request: IncomingMessage,
  response: ServerResponse,
  log: OpenLog,
): Promise<void> {
  if (response.headersSent || response.destroyed) {
    await log.bytes.return(undefined);
    return;
  }
  const { reply } = log;
  const passThrough = reply.gzip && acceptsGzip(request);
  const headers = [
    ...commonHeaders,
    'Content-Type',
    'text/plain; charset=utf-8',
    'Content-Security-Policy',
    pagePolicy,
    'Vary',
    'Accept-Encoding',
  ];
  if (passThrough) headers.push('Content-Encoding', 'gzip');
  if (reply.download) {
    headers.push('Content-Disposition', `attachment; filename=Carillon-Job-Log-${reply.job}.txt`);
  }
  response.writeHead(200, headers);
  if (request.method === 'HEAD') {
    response.end();
    await log.bytes.return(undefined);
    return;
  }
  response.setTimeout(stalledMs, () => response.destroy());
  const source = Readable.from(log.bytes);
  const unpack: Transform[] = reply.gzip && !passThrough ? [createGunzip()] : [];
  await pipeline([source, ...unpack, response]);
}
