import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/**
 * The text of a gzip-compressed log. A failure while it is read is thrown to the reader: with `pipe` nobody would hear
 * of it, and it would end the process.
 */
export function unpack(compressed: AsyncIterable<Uint8Array>): Readable {
  const text = createGunzip();
  pipeline(Readable.from(compressed), text, () => undefined);
  return text;
}
