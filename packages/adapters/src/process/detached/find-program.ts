import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import type { ProcessSpec } from '@carillon/core';
import { explainSpawnFailure } from '../spawn-failure.js';
import { systemErrorName } from '../system-error.js';

/** Where the system looks for programs when there is no PATH. */
const defaultPath = '/usr/bin:/bin';

/**
 * Absolute path of what a command names, found as the system would: so a shell that starts it can take it neither for a
 * command of its own nor find something else. Throws SpawnError with the words of a failed start.
 */
export function findProgram(file: string, spec: ProcessSpec): string {
  let reason = 'ENOENT';
  for (const path of candidates(file, spec)) {
    const fault = faultOf(path);
    if (fault === undefined) return path;
    // As in execvp: something that may not be run is worth mentioning only when nothing else is found.
    if (fault === 'EACCES') reason = fault;
  }
  throw explainSpawnFailure({ code: reason }, spec);
}

/** Refuses a script whose interpreter is not there, as the system would. Throws SpawnError. */
export function checkInterpreter(source: string, spec: ProcessSpec): void {
  const [, interpreter] = /^#![ \t]*([^ \t\n]+)/.exec(source) ?? [];
  if (interpreter === undefined) return;
  const fault = faultOf(resolve(spec.cwd, interpreter));
  if (fault !== undefined) throw explainSpawnFailure({ code: fault }, spec);
}

/** Refuses a working directory that is none. Throws SpawnError. */
export function checkDirectory(spec: ProcessSpec): void {
  try {
    if (statSync(spec.cwd).isDirectory()) return;
  } catch (error) {
    throw explainSpawnFailure(error, spec);
  }
  throw explainSpawnFailure({ code: 'ENOTDIR' }, spec);
}

function candidates(file: string, spec: ProcessSpec): string[] {
  if (file.includes('/')) return [resolve(spec.cwd, file)];
  const folders = (spec.env['PATH'] ?? defaultPath).split(delimiter);
  return folders.map((folder) => resolve(spec.cwd, folder, file));
}

function faultOf(path: string): 'ENOENT' | 'EACCES' | undefined {
  try {
    if (!statSync(path).isFile()) return 'EACCES';
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    return systemErrorName(error) === 'EACCES' ? 'EACCES' : 'ENOENT';
  }
}
