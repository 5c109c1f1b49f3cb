import { type FileHandle, open, rm } from 'node:fs/promises';
import type { Random } from '@carillon/core';
import { systemErrorName } from '../process/system-error.js';

/** No name of a job begins so. */
const mark = '+';
const chunkBytes = 65_536;

/** The name of a list to which this process alone adds. */
export function listName(random: Random): string {
  return `${mark}${random.hex(8)}`;
}

/** Whether a file is a list, and not the entry of one job. */
export function isListName(name: string): boolean {
  return name.startsWith(mark);
}

/** An entry; it begins with the separator, so that one which a full disk cut off does not spoil the next. */
export function listLine(entry: string): string {
  return `\n${entry}`;
}

/**
 * Hands the entries of a list to `use`, last one first and `limit` of them at most, and removes them then. Resolves with
 * their number; the list goes with its last entry, and one that has gone already has none. An entry comes again when `use` rejects, or when two sweeps meet.
 */
export async function useUpList(
  path: string,
  limit: number,
  use: (entry: string) => Promise<void>,
): Promise<number> {
  const file = await open(path, 'r+').catch((error: unknown) => {
    if (systemErrorName(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return 0;
  let done = 0;
  try {
    let { size } = await file.stat();
    while (size > 0 && done < limit) {
      const tail = await readTail(file, size);
      const used = lastEntries(tail.text, tail.isStart, limit - done);
      for (const entry of used.entries) await use(entry);
      done += used.entries.length;
      size -= tail.text.length - used.restLength;
      // Another sweep may have been faster: the file must not grow.
      if ((await file.stat()).size > size) await file.truncate(size);
    }
    if (size > 0) return done;
  } finally {
    await file.close();
  }
  await rm(path, { force: true });
  return done;
}

async function readTail(file: FileHandle, size: number): Promise<{ text: string; isStart: boolean }> {
  const length = Math.min(size, chunkBytes);
  // What is no longer there reads as zeros, which are no entry.
  const bytes = Buffer.alloc(length);
  await file.read(bytes, 0, length, size - length);
  return { text: bytes.toString('latin1'), isStart: length === size };
}

/** Entries from the end of a text, of which `restLength` remain before them. */
function lastEntries(
  text: string,
  isStart: boolean,
  limit: number,
): { entries: string[]; restLength: number } {
  const entries: string[] = [];
  let end = text.length;
  while (end > 0 && entries.length < limit) {
    const separator = text.lastIndexOf('\n', end - 1);
    // It begins before this text; one as long as the whole text is none.
    if (separator < 0 && !isStart && entries.length > 0) break;
    entries.push(text.slice(separator + 1, end));
    end = Math.max(0, separator);
  }
  return { entries, restLength: end };
}
