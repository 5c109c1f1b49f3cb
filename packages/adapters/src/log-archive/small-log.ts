import { appendFileSync, closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemErrorName } from '../process/system-error.js';
import { listLine } from './expiry-list.js';
import { inPieces } from './pieces.js';

/** Compressed logs up to this size are written without a pause. */
const smallBytes = 65_536;

/** A log of which the beginning has been read: small and whole in `bytes`, or longer, with all its bytes in `chunks`. */
export type BegunLog = { bytes: Uint8Array } | { chunks: AsyncIterable<Uint8Array> };

/** Reads so far that it is known whether the log is a small one. */
export async function beginLog(source: AsyncIterable<Uint8Array>): Promise<BegunLog> {
  const pieces = inPieces(source, smallBytes);
  const first = await pieces.next();
  if (first.done === true) return { bytes: new Uint8Array(0) };
  const second = await pieces.next();
  if (second.done === true) return { bytes: first.value };
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    yield first.value;
    yield second.value;
    yield* pieces;
  };
  return { chunks: chunks() };
}

/**
 * Writes a small log within one turn of the event loop, for a directory on a disk of this machine: half a dozen system
 * calls, where each trip through the thread pool costs more than all of them. `entry` becomes a line of the list.
 * Throws the system's error, with nothing in the log's place and no draft left.
 */
export function writeSmallLog(
  paths: { draft: string; list: string; log: string },
  entry: string,
  parts: Uint8Array[],
): void {
  try {
    writeDraft(paths.draft, Buffer.concat(parts));
    // Listed first: a log that is not listed would stay for ever.
    inFolder(paths.list, (path) => appendFileSync(path, listLine(entry), { mode: 0o600 }));
    inFolder(paths.log, (path) => renameSync(paths.draft, path));
  } catch (error) {
    rmSync(paths.draft, { force: true });
    throw error;
  }
}

function writeDraft(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    let done = 0;
    while (done < bytes.length) done += writeSync(file, bytes, done);
  } finally {
    closeSync(file);
  }
}

/** A sweep may take an empty folder away at any time. */
function inFolder(path: string, put: (path: string) => void): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      put(path);
      return;
    } catch (error) {
      if (systemErrorName(error) !== 'ENOENT' || attempt >= 3) throw error;
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    }
  }
}
