import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Cancel, Clock, Random } from '@carillon/core';
import { identify, isProcessAlive, pidSpace, type ProcessIdentity } from './process-table.js';

/** Owner of a directory, as its lock file says. */
type Owner = ProcessIdentity & { host: string; nonce: string };

const touchMs = 1_000;
/** An owner that cannot be looked up is alive when its lock file is touched within this time. */
const watchMs = 3_500;
const watchStepMs = 250;
/** Rounds of finding a lock, judging it and losing the race for it. */
const mostRounds = 20;

/** The directory belongs to another live node. */
export class DirectoryInUseError extends Error {
  constructor(directory: string, owner: { pid: number; host: string }) {
    super(
      `The data directory ${directory} is in use by another node (process ${owner.pid} on ${owner.host}). ` +
        'Stop that node, or give this one a data directory of its own with CARILLON_DATA_DIR.',
    );
    this.name = 'DirectoryInUseError';
  }
}

/**
 * Ownership of a data directory: `node.lock` in it names the process. The lock of a process that is gone, however it
 * ended, is taken over: at once when its pid can be looked up (same machine and pid name space), after a few seconds
 * without a sign of life otherwise, as when a container is recreated over its volume.
 */
export class DirectoryLock {
  readonly directory: string;
  readonly #nonce: string;
  readonly #touching: Cancel;
  #released: Promise<void> | undefined;

  private constructor(directory: string, nonce: string, clock: Clock) {
    this.directory = directory;
    this.#nonce = nonce;
    const path = lockPath(directory);
    this.#touching = clock.every(touchMs, () => {
      const now = new Date(clock.nowMs());
      utimes(path, now, now).catch(() => undefined);
    });
  }

  /** Makes the directory if need be and takes it. Throws DirectoryInUseError. */
  static async acquire(directory: string, clock: Clock, random: Random): Promise<DirectoryLock> {
    // Others may pass through, to what is theirs, but not look around.
    await mkdir(directory, { recursive: true, mode: 0o711 });
    const nonce = random.hex(8);
    const own: Owner = { ...identify(process.pid), host: hostname(), nonce };
    const draft = join(directory, `node.lock.${nonce}`);
    await writeFile(draft, JSON.stringify(own), { mode: 0o644 });
    try {
      for (let round = 0; round < mostRounds; round += 1) {
        if (await isLinked(draft, lockPath(directory))) return new DirectoryLock(directory, nonce, clock);
        if (await isSucceeded(directory, draft, clock)) return new DirectoryLock(directory, nonce, clock);
      }
    } finally {
      await rm(draft, { force: true });
    }
    throw new Error(`The data directory ${directory} could not be locked: too many nodes try at once`);
  }

  /** Gives the directory up. Harmless when repeated. */
  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    this.#touching();
    const owner = await readOwner(lockPath(this.directory));
    // Another node may have judged this one dead, for instance over a stopped container.
    if (owner?.nonce === this.#nonce) await rm(lockPath(this.directory), { force: true });
  }
}

const lockPath = (directory: string): string => join(directory, 'node.lock');

/** System error name, or ''. */
const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : '';

/** Linking a finished file is atomic: no lock is ever seen half written, where the file system has links. */
async function isLinked(draft: string, path: string): Promise<boolean> {
  try {
    try {
      await link(draft, path);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      await writeFile(path, await readFile(draft), { flag: 'wx' });
    }
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function readOwner(path: string): Promise<Owner | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
  return parseOwner(text);
}

function parseOwner(text: string): Owner {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const fields = new Map<string, unknown>(
    typeof value === 'object' && value !== null ? Object.entries(value) : [],
  );
  const word = (name: string): string => String(fields.get(name) ?? '');
  const pid = Number(fields.get('pid'));
  return {
    pid: Number.isInteger(pid) ? pid : 0,
    startTicks: word('startTicks'),
    space: word('space'),
    host: word('host'),
    nonce: /^\w{1,64}$/.test(word('nonce')) ? word('nonce') : '',
  };
}

/** Claim of the one node that may replace the lock of a dead owner. */
const successorPath = (directory: string, owner: Owner): string =>
  join(directory, `node.lock.after-${owner.nonce}`);

/**
 * Takes over the lock of a dead owner; throws when the owner lives. Each owner has one successor: whoever makes the
 * claim named after it. A claimant that died before it replaced the lock is succeeded in turn. False when somebody
 * else was faster.
 */
async function isSucceeded(directory: string, draft: string, clock: Clock): Promise<boolean> {
  const path = lockPath(directory);
  const owner = await readOwner(path);
  if (owner === undefined) return false;
  const claims: string[] = [];
  for (let last: Owner | undefined = owner; last !== undefined; last = await readOwner(claims.at(-1) ?? '')) {
    if (await isOwnerAlive(directory, last, clock)) throw new DirectoryInUseError(directory, last);
    claims.push(successorPath(directory, last));
  }
  const claim = claims.at(-1) ?? '';
  if (!(await isLinked(draft, claim))) return false;
  // The claims of a finished takeover are removed after the lock was replaced, so this tells a late one.
  const isCurrent = (await readOwner(path))?.nonce === owner.nonce;
  if (isCurrent) await rename(draft, path);
  await Promise.all((isCurrent ? claims : [claim]).map((each) => rm(each, { force: true })));
  return isCurrent;
}

async function isOwnerAlive(directory: string, owner: Owner, clock: Clock): Promise<boolean> {
  // Without a pid it is being written, or was cut off while it was.
  if (owner.pid !== 0 && owner.space === pidSpace()) return isProcessAlive(owner);
  return isTouched(directory, clock);
}

/** Watches for a change instead of comparing times: clocks of two machines may differ. */
async function isTouched(directory: string, clock: Clock): Promise<boolean> {
  const before = await touchedAt(directory);
  for (let waitedMs = 0; waitedMs < watchMs; waitedMs += watchStepMs) {
    await new Promise<void>((resolve) => clock.after(watchStepMs, resolve));
    const now = await touchedAt(directory);
    if (now === undefined) return false;
    if (now !== before) return true;
  }
  return false;
}

async function touchedAt(directory: string): Promise<number | undefined> {
  try {
    return (await stat(lockPath(directory))).mtimeMs;
  } catch {
    return undefined;
  }
}
