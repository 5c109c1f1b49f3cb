import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface ServerProgram {
  file: string;
  /** Set when the program was unpacked with libraries of its own. */
  libraryPath?: string;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

const names = ['redis-server', 'valkey-server'];

/**
 * The program to run: the configured path, else the first of `redis-server` and `valkey-server` on the search path,
 * else in `<cacheDir>/bin` (with libraries in `<cacheDir>/lib`). Throws with the remedy when there is none.
 */
export function findServer(
  configured: string | undefined,
  searchPath: string,
  cacheDir: string | undefined,
): ServerProgram {
  if (configured !== undefined && configured !== '') {
    if (isProgram(configured)) return { file: configured };
    throw new Error(`The configured Redis server ${configured} does not exist or is not executable`);
  }
  const directories = searchPath.split(delimiter).filter((directory) => directory !== '');
  const found = directories
    .flatMap((directory) => names.map((name) => join(directory, name)))
    .find(isProgram);
  if (found !== undefined) return { file: found };
  if (cacheDir !== undefined) {
    const cached = names.map((name) => join(cacheDir, 'bin', name)).find(isProgram);
    const libraryPath = join(cacheDir, 'lib');
    if (cached !== undefined) return { file: cached, ...(existsSync(libraryPath) ? { libraryPath } : {}) };
  }
  throw new Error(
    'No Redis server was found. Install one (Debian, Ubuntu: apt-get install redis-server; Alpine: apk add redis), ' +
      'or name a running one with CARILLON_REDIS_URL=redis://host:6379',
  );
}

/** The `flock` program of util-linux, or undefined. That of BusyBox lacks the options needed. */
export function findFlock(searchPath: string, isUtilLinux: (file: string) => boolean): string | undefined {
  return searchPath
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, 'flock'))
    .find((file) => isProgram(file) && isUtilLinux(file));
}
