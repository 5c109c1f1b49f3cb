import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type ProcessSpec, SpawnError } from '@carillon/core';
import type { ProgramStart } from './start/start-program.js';

/** Private directory for the scripts of running jobs. */
export class ScriptDirectory {
  readonly #path: string;

  /** It is created if needed; what earlier boots left there is removed. */
  constructor(path: string) {
    this.#path = path;
    // Others may pass through, to scripts they own, but not look around.
    mkdirSync(path, { recursive: true, mode: 0o711 });
    for (const name of readdirSync(path)) rmSync(join(path, name), { force: true, recursive: true });
  }

  /** What a spec comes to. Throws SpawnError when its command cannot be one. */
  startOf(spec: ProcessSpec): ProgramStart {
    const { program, cwd, env, uid, gid } = spec;
    const path = join(this.#path, spec.name);
    const [file, args] = commandOf(spec, path);
    const script = program.kind === 'script' ? { path, source: program.source } : undefined;
    return { file, args, cwd, env, uid, gid, script };
  }
}

/** File and arguments that start a program; `script`: where its text has been put. Throws SpawnError. */
export function commandOf({ program }: ProcessSpec, script: string | undefined): [string, readonly string[]] {
  if (program.kind === 'exec') {
    if (
      program.file === '' ||
      program.file.includes('\0') ||
      program.args.some((arg) => arg.includes('\0'))
    ) {
      throw new SpawnError('The command is empty or has a NUL character', 'EINVAL');
    }
    return [program.file, program.args];
  }
  const path = script ?? '';
  return program.source.startsWith('#!') ? [path, []] : ['/bin/sh', [path]];
}
