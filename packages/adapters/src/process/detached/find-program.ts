import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ProcessSpec } from '@carillon/core';
import { lookUp, programFault } from '../start/search-path.js';
import { explainSpawnFailure } from '../spawn-failure.js';

/**
 * Absolute path of what a command names, found as the system would: so a shell that starts it can take it neither for a
 * command of its own nor find something else. Throws SpawnError with the words of a failed start.
 */
export function findProgram(file: string, spec: ProcessSpec): string {
  const found = lookUp(file, spec);
  if (typeof found === 'string') throw explainSpawnFailure({ code: found }, spec);
  return found.path;
}

/** Refuses a script whose interpreter is not there, as the system would. Throws SpawnError. */
export function checkInterpreter(source: string, spec: ProcessSpec): void {
  const [, interpreter] = /^#![ \t]*([^ \t\n]+)/.exec(source) ?? [];
  if (interpreter === undefined) return;
  const fault = programFault(resolve(spec.cwd, interpreter));
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
