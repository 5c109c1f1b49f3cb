import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { systemErrorName } from '../system-error.js';

/** Where the system looks for programs when there is no PATH. */
const defaultPath = '/usr/bin:/bin';

/** What a program is looked for with. */
export interface SearchPlace {
  cwd: string;
  env: Readonly<Record<string, string>>;
}

/** Absolute path of what a command names, found as the system would, or why there is none. */
export function lookUp(file: string, { cwd, env }: SearchPlace): { path: string } | 'ENOENT' | 'EACCES' {
  let reason: 'ENOENT' | 'EACCES' = 'ENOENT';
  const folders = file.includes('/') ? [''] : (env['PATH'] ?? defaultPath).split(delimiter);
  for (const folder of folders) {
    const path = resolve(cwd, folder, file);
    const fault = programFault(path);
    if (fault === undefined) return { path };
    // As in execvp: something that may not be run is worth mentioning only when nothing else is found.
    if (fault === 'EACCES') reason = fault;
  }
  return reason;
}

/** Why a file cannot be run; undefined when it can. */
export function programFault(path: string): 'ENOENT' | 'EACCES' | undefined {
  try {
    if (!statSync(path).isFile()) return 'EACCES';
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    return systemErrorName(error) === 'EACCES' ? 'EACCES' : 'ENOENT';
  }
}
