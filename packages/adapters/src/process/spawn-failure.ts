import { statSync } from 'node:fs';
import { type ProcessSpec, SpawnError } from '@carillon/core';
import { systemErrorName } from './system-error.js';

const explanations: ReadonlyMap<string, string> = new Map([
  ['E2BIG', 'The arguments and environment variables are too long'],
  ['EAGAIN', 'The system refuses to start more processes'],
  ['EMFILE', 'Too many open files'],
  ['ENFILE', 'Too many open files'],
  ['ENOEXEC', 'The file is not a program'],
  ['ENOMEM', 'Not enough memory'],
  ['ENOSPC', 'No space left on the disk'],
  ['EPERM', 'Not permitted to run as this user or group'],
]);

/** Says in a user's words why a process could not be started; `error` is what the system answered. */
export function explainSpawnFailure(error: unknown, spec: ProcessSpec): SpawnError {
  const reason = systemErrorName(error);
  if (reason === 'ENOENT' || reason === 'ENOTDIR' || reason === 'EACCES') {
    const fault = directoryFault(spec.cwd);
    if (fault !== undefined) return new SpawnError(`${fault}: ${spec.cwd}`, reason);
    return new SpawnError(programFault(reason, spec), reason);
  }
  const fallback = error instanceof Error ? error.message : String(error);
  return new SpawnError(explanations.get(reason) ?? fallback, reason);
}

function directoryFault(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 'Working directory does not exist';
  return found.isDirectory() ? undefined : 'Working directory is not a directory';
}

function programFault(reason: string, { program, cwd }: ProcessSpec): string {
  if (program.kind === 'script') {
    const interpreter = program.source.slice(2).split('\n', 1)[0] ?? '';
    const what = reason === 'EACCES' ? 'Permission denied for interpreter' : 'Interpreter not found';
    // Makes the carriage return of a script with Windows line ends visible.
    return `${what}: ${JSON.stringify(interpreter.trimStart()).slice(1, -1)}`;
  }
  if (reason === 'EACCES') return `Permission denied: ${program.file} (in ${cwd})`;
  return `Command not found: ${program.file === '' ? '(empty)' : program.file}`;
}
