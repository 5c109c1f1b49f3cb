import { DirectoryInUseError, DirectoryLock } from '@carillon/adapters';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cancel } from '@carillon/core';
import { clock, random } from '../start/services.js';

const home = 'worker';
const sparePrefix = 'worker-';
const lookAgainMs = 1_000;
/** In these a worker keeps what must not be lost. */
const keptFolders = ['detached', 'logs', 'results'];

/** The directory of a worker, locked, and the id that goes with it. */
export interface WorkerPlace {
  id: string;
  directory: string;
  /** Gives it up; a spare one in which nothing is kept is removed. */
  release(): Promise<void>;
}

/** The usual place of a node's worker. Throws DirectoryInUseError. */
export async function homePlace(dataDir: string, nodeId: string): Promise<WorkerPlace> {
  const lock = await DirectoryLock.acquire(join(dataDir, home), clock, random);
  return { id: nodeId, directory: lock.directory, release: () => lock.release() };
}

/** A new place beside it, with an id of its own. */
export function sparePlace(dataDir: string, nodeId: string): Promise<WorkerPlace> {
  return placeOfId(dataDir, `${nodeId}${random.hex(3)}`);
}

/** Spare places of workers that are no more, for their runs and results to be seen to their end. */
export async function abandonedPlaces(dataDir: string): Promise<WorkerPlace[]> {
  await mkdir(dataDir, { recursive: true });
  const places: WorkerPlace[] = [];
  for (const name of await readdir(dataDir)) {
    if (!name.startsWith(sparePrefix)) continue;
    const place = await unlessInUse(placeOfId(dataDir, name.slice(sparePrefix.length)));
    if (place === undefined) continue;
    if (await isKeeping(place.directory)) places.push(place);
    else await place.release();
  }
  return places;
}

/** Waits until the usual place is free, and takes it. `cancel` before that ends the wait without an answer. */
export function waitForHome(dataDir: string, nodeId: string, onHome: (place: WorkerPlace) => void): Cancel {
  let isCancelled = false;
  let cancelPause: Cancel = () => undefined;
  const look = async (): Promise<void> => {
    const place = await unlessInUse(homePlace(dataDir, nodeId)).catch(() => undefined);
    if (isCancelled) await place?.release();
    else if (place !== undefined) onHome(place);
    else cancelPause = clock.after(lookAgainMs, () => void look());
  };
  void look();
  return () => {
    isCancelled = true;
    cancelPause();
  };
}

async function placeOfId(dataDir: string, id: string): Promise<WorkerPlace> {
  const lock = await DirectoryLock.acquire(join(dataDir, `${sparePrefix}${id}`), clock, random);
  const { directory } = lock;
  const release = async (): Promise<void> => {
    const isEmpty = !(await isKeeping(directory));
    await lock.release();
    if (isEmpty) await rm(directory, { recursive: true, force: true });
  };
  return { id, directory, release };
}

async function unlessInUse(place: Promise<WorkerPlace>): Promise<WorkerPlace | undefined> {
  try {
    return await place;
  } catch (error) {
    if (error instanceof DirectoryInUseError) return undefined;
    throw error;
  }
}

async function isKeeping(directory: string): Promise<boolean> {
  for (const folder of keptFolders) {
    const names = await readdir(join(directory, folder)).catch(() => []);
    if (names.length > 0) return true;
  }
  return false;
}
