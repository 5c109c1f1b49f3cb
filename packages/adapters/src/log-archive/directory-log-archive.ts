import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  type FileHandle,
  mkdir,
  open,
  opendir,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock, LogArchive, Random } from '@carillon/core';
import { endOfLife, expiryDay, isPastDay, jobOf, nameOf, wholeSec } from './expiry-days.js';
import { isListName, listName, useUpList } from './expiry-list.js';
import { lifeHeader, lifeHeaderBytes, readLife } from './life-header.js';
import { beginLog, writeSmallLog } from './small-log.js';

/** Drafts untouched for this long are what a crash left behind. */
const draftLifeMs = 86_400_000;

export interface DirectoryLogArchiveOptions {
  /** On a disk of this machine: small logs are written at once, which must not be done over a network. */
  isLocal?: boolean;
}

/**
 * Logs in a directory, which several nodes may share: `logs/<part of a hash>/<job>.gz`. Each file starts with an empty
 * gzip member that says when the log expires, so that it is still an ordinary gzip file and survives being copied.
 * `expiry/<day>/<job>` lists what comes to its end on a day, for the sweep, or, where files cost more than lines, a line
 * in `expiry/<day>/+<writer>`; entries may be out of date, the file decides. Logs are written to `drafts` and renamed into place.
 */
export class DirectoryLogArchive implements LogArchive {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #isLocal: boolean;
  readonly #listName: string;

  private constructor(directory: string, clock: Clock, random: Random, isLocal: boolean) {
    this.#isLocal = isLocal;
    this.#directory = directory;
    this.#clock = clock;
    this.#random = random;
    this.#listName = listName(random);
  }

  /** Makes the directory if need be. Rejects with a message for people when it cannot be written to. */
  static async open(
    directory: string,
    clock: Clock,
    random: Random,
    { isLocal = false }: DirectoryLogArchiveOptions = {},
  ): Promise<DirectoryLogArchive> {
    const archive = new DirectoryLogArchive(directory, clock, random, isLocal);
    try {
      for (const part of ['logs', 'expiry', 'drafts']) {
        await mkdir(join(directory, part), { recursive: true, mode: 0o700 });
      }
      const probe = archive.#draftPath();
      await writeFile(probe, '');
      await rm(probe);
    } catch (error) {
      throw new Error(`The log archive ${directory} cannot be written to: ${reasonOf(error)}`);
    }
    return archive;
  }

  async put(job: string, chunks: AsyncIterable<Uint8Array>, expireSec: number): Promise<void> {
    const begun = this.#isLocal ? await beginLog(chunks) : { chunks };
    const untilSec = endOfLife(this.#clock.nowMs(), expireSec);
    const draft = this.#draftPath();
    if ('bytes' in begun) {
      const list = join(this.#directory, 'expiry', expiryDay(untilSec), this.#listName);
      const paths = { draft, list, log: this.#logPath(job) };
      writeSmallLog(paths, nameOf(job), [lifeHeader(untilSec), begun.bytes]);
      return;
    }
    try {
      await writeWhole(draft, lifeHeader(untilSec), begun.chunks);
      // Listed first: a log that is not listed would stay for ever.
      await this.#list(job, untilSec);
      await inFolder(this.#logPath(job), (path) => rename(draft, path));
    } catch (error) {
      await rm(draft, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  async get(job: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const life = await this.#life(job);
    if (life === undefined || life.untilSec * 1000 <= this.#clock.nowMs()) return undefined;
    return bytesOf(this.#logPath(job), life.headerBytes);
  }

  async remove(job: string): Promise<void> {
    const life = await this.#life(job);
    await rm(this.#logPath(job), { force: true });
    if (life?.headerBytes) await rm(this.#entryPath(job, life.untilSec), { force: true });
  }

  async keepUntil(job: string, untilSec: number): Promise<void> {
    const life = await this.#life(job);
    const until = wholeSec(untilSec);
    // A file without a header is none of ours.
    if (life === undefined || life.headerBytes === 0 || life.untilSec === until) return;
    await this.#list(job, until);
    const file = await openIfThere(this.#logPath(job), 'r+');
    if (file === undefined) return;
    try {
      // Rewritten in place: it has the same length and its digits alone differ.
      await file.write(lifeHeader(until), 0, lifeHeaderBytes, 0);
    } finally {
      await file.close();
    }
    if (expiryDay(life.untilSec) !== expiryDay(until)) {
      await rm(this.#entryPath(job, life.untilSec), { force: true });
    }
  }

  async sweep(limit: number): Promise<number> {
    const nowMs = this.#clock.nowMs();
    const days = (await readdir(join(this.#directory, 'expiry'))).sort();
    let done = 0;
    for (const day of days) {
      if (!isPastDay(day, nowMs) || done >= limit) break;
      done += await this.#sweepDay(join(this.#directory, 'expiry', day), limit - done);
    }
    return done + (done < limit ? await this.#sweepDrafts(limit - done) : 0);
  }

  async #sweepDay(folder: string, limit: number): Promise<number> {
    let done = 0;
    for await (const name of namesIn(folder)) {
      if (done >= limit) return done;
      const path = join(folder, name);
      if (isListName(name)) {
        done += await useUpList(path, limit - done, (entry) => this.#removeEnded(entry));
        continue;
      }
      await this.#removeEnded(name);
      await rm(path, { force: true });
      done += 1;
    }
    // A folder that has got a new entry meanwhile stays.
    await rmdir(folder).catch(() => undefined);
    return done;
  }

  /** `entry`: the name of a job, or what a crash has left of one. */
  async #removeEnded(entry: string): Promise<void> {
    const job = jobOf(entry);
    const life = job === undefined ? undefined : await this.#life(job);
    if (job === undefined || life === undefined || life.untilSec * 1000 > this.#clock.nowMs()) return;
    await rm(this.#logPath(job), { force: true });
  }

  async #sweepDrafts(limit: number): Promise<number> {
    const folder = join(this.#directory, 'drafts');
    let done = 0;
    for await (const name of namesIn(folder)) {
      if (done >= limit) break;
      const path = join(folder, name);
      const touched = await stat(path).catch(() => undefined);
      if (touched === undefined || this.#clock.nowMs() - touched.mtimeMs < draftLifeMs) continue;
      await rm(path, { force: true });
      done += 1;
    }
    return done;
  }

  /** When the job's log ends; undefined when there is none. */
  async #life(job: string): Promise<{ untilSec: number; headerBytes: number } | undefined> {
    const file = await openIfThere(this.#logPath(job), 'r');
    if (file === undefined) return undefined;
    try {
      const start = Buffer.alloc(lifeHeaderBytes);
      const { bytesRead } = await file.read(start, 0, lifeHeaderBytes, 0);
      const untilSec = readLife(start.subarray(0, bytesRead));
      // A file that somebody put there by hand is shown and never removed.
      if (untilSec === undefined) return { untilSec: Number.POSITIVE_INFINITY, headerBytes: 0 };
      return { untilSec, headerBytes: lifeHeaderBytes };
    } finally {
      await file.close();
    }
  }

  async #list(job: string, untilSec: number): Promise<void> {
    await inFolder(this.#entryPath(job, untilSec), (path) => writeFile(path, ''));
  }

  #draftPath(): string {
    return join(this.#directory, 'drafts', this.#random.hex(16));
  }

  #logPath(job: string): string {
    const part = createHash('sha256').update(job).digest('hex').slice(0, 2);
    return join(this.#directory, 'logs', part, `${nameOf(job)}.gz`);
  }

  #entryPath(job: string, untilSec: number): string {
    return join(this.#directory, 'expiry', expiryDay(untilSec), nameOf(job));
  }
}

/** Nothing is forced to the disk, as little as results are: a crash of the machine may lose the logs of the last seconds. */
async function writeWhole(
  draft: string,
  header: Uint8Array,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  const file = await inFolder(draft, (path) => open(path, 'wx', 0o600));
  try {
    await file.writeFile(header);
    for await (const chunk of chunks) await file.writeFile(chunk);
  } finally {
    await file.close();
  }
}

/** Puts something at a path whose folder may be absent; most of them are there. A sweep may take an empty one away. */
async function inFolder<T>(path: string, put: (path: string) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await put(path);
    } catch (error) {
      if (!isAbsent(error) || attempt >= 3) throw error;
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    }
  }
}

async function* bytesOf(path: string, start: number): AsyncGenerator<Uint8Array> {
  for await (const chunk of createReadStream(path, { start })) yield chunk;
}

/** Names in a folder, read piece by piece; none when it is not there. */
async function* namesIn(folder: string): AsyncGenerator<string> {
  try {
    for await (const { name } of await opendir(folder)) yield name;
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

async function openIfThere(path: string, flags: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, flags);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
