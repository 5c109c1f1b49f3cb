import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { CommandError, reasonOf } from '../../failures.js';
import type { ScheduleFile } from '../../declare/read-schedule.js';
import type { ValueSources } from '../../declare/values.js';

/** All `.yaml` and `.yml` files of a directory and below, by name; hidden ones are left out. Throws CommandError. */
export function readFiles(directory: string): ScheduleFile[] {
  let names: string[];
  try {
    names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  } catch (error) {
    throw new CommandError(`The directory cannot be read: ${reasonOf(error)}`);
  }
  const files = names
    .map((name) => name.split(sep).join('/'))
    .filter((name) => /\.ya?ml$/i.test(name) && !/(^|\/)\./.test(name))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(directory, name), 'utf8') }));
  if (files.length === 0) throw new CommandError(`There are no .yaml or .yml files in ${directory}`);
  return files;
}

/** Values from the environment, and texts of files that lie in the directory. */
export function sourcesOf(directory: string, env: ValueSources['env']): ValueSources {
  const root = realpathSync(directory);
  return {
    env,
    readText(path, from) {
      const wanted = resolve(root, dirname(from), path);
      if (!existsSync(wanted)) throw new Error(`There is no file ${path}`);
      const below = relative(root, realpathSync(wanted));
      if (below.startsWith('..') || resolve(root, below) !== realpathSync(wanted)) {
        throw new Error(`${path} is outside the directory`);
      }
      return readFileSync(wanted, 'utf8');
    },
  };
}

/**
 * Writes files into a directory, which is made when it is not there; readable by their owner alone. Throws CommandError,
 * before anything is written, when one of them is there already, unless `replace`.
 */
export function writeFiles(directory: string, files: readonly ScheduleFile[], replace: boolean): void {
  const present = files.filter(({ name }) => existsSync(join(directory, name)));
  if (present.length > 0 && !replace) {
    const names = present.map(({ name }) => name).join(', ');
    throw new CommandError(`In ${directory} there are already: ${names}. Use --force to replace them`);
  }
  mkdirSync(directory, { recursive: true });
  for (const { name, text } of files) writeFileSync(join(directory, name), text, { mode: 0o600 });
}
