import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TransferFileError } from '@carillon/core';
import { CommandError, reasonOf } from '../failures.js';

/** Longest line, in bytes: far beyond any record. */
const longestLine = 64 * 1024 * 1024;
/** Most text of one file, unpacked: a small file may hold very much of it. */
const mostText = 4 * 1024 * 1024 * 1024;

/** Bounds on a file; for tests. */
export interface ReadLimits {
  longestLine?: number;
  mostText?: number;
}

/**
 * The lines of a file, without their ends; gzip is recognised by its content. Throws CommandError when the file cannot be
 * read or unpacked, and TransferFileError for what cannot be a text of that kind.
 */
export async function* readLines(path: string, limits: ReadLimits = {}): AsyncGenerator<string> {
  const { longestLine: lineMax = longestLine, mostText: textMax = mostText } = limits;
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest: Buffer = Buffer.alloc(0);
  let [line, size] = [0, 0];
  const decode = (bytes: Buffer): string => {
    line += 1;
    try {
      return decoder.decode(bytes.at(-1) === 13 ? bytes.subarray(0, -1) : bytes);
    } catch {
      throw new TransferFileError(line, 'Not UTF-8 text');
    }
  };
  for await (const chunk of await openFile(path)) {
    size += chunk.length;
    if (size > textMax) throw new TransferFileError(0, `The file holds more than ${textMax} bytes of text`);
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const piece = chunk.subarray(start, end);
      yield decode(rest.length === 0 ? piece : Buffer.concat([rest, piece]));
      rest = Buffer.alloc(0);
      start = end + 1;
    }
    rest = Buffer.concat([rest, chunk.subarray(start)]);
    if (rest.length > lineMax)
      throw new TransferFileError(line + 1, `The line is longer than ${lineMax} bytes`);
  }
  if (rest.length > 0) yield decode(rest);
}

async function openFile(path: string): Promise<AsyncIterable<Buffer>> {
  try {
    const packed = await isGzip(path);
    const file = createReadStream(path, { highWaterMark: 256 * 1024 });
    return readable(packed ? unpacked(file) : file);
  } catch (error) {
    throw new CommandError(`The file cannot be read: ${reasonOf(error)}`);
  }
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}

function unpacked(file: Readable): Readable {
  const gunzip = createGunzip();
  file.on('error', (error) => gunzip.destroy(error));
  gunzip.on('close', () => file.destroy());
  return file.pipe(gunzip);
}

async function* readable(stream: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream) yield Buffer.from(chunk as Uint8Array);
  } catch (error) {
    throw new CommandError(`The file cannot be read to its end: ${reasonOf(error)}`);
  }
}
