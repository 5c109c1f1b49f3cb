import { join, sep } from 'node:path';
import { DirectoryLogArchive, type RedisLogArchive, S3LogArchive } from '@carillon/adapters';
import type { LogArchive } from '@carillon/core';
import type { Config } from '../config/index.js';
import { clock, random } from './services.js';

/** The archive that was chosen, and how to let go of it. */
export interface OpenLogArchive {
  archive: LogArchive;
  close(): void;
}

/**
 * Opens the archive of the configuration; `redis` is the one that comes with the connection to Redis. What lies in the
 * data directory is on this machine. Rejects with a
 * message for people when the place cannot be used; whether S3 answers is not asked.
 */
export async function openLogArchive(
  { logArchive: place, dataDir }: Pick<Config, 'logArchive' | 'dataDir'>,
  redis: RedisLogArchive,
): Promise<OpenLogArchive> {
  switch (place.kind) {
    case 'redis':
      return { archive: redis, close: () => undefined };
    case 'directory':
      return {
        archive: await DirectoryLogArchive.open(place.path, clock, random, {
          isLocal: place.path.startsWith(join(dataDir, sep)),
        }),
        close: () => undefined,
      };
    case 's3': {
      const archive = await S3LogArchive.open(place, clock);
      return { archive, close: () => archive.close() };
    }
  }
}
