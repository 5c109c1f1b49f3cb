import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { reasonOf, UsageError } from '../../failures.js';
import { readValue } from '../../options.js';
import type { Session } from '../../session.js';

/**
 * The properties of a record from a JSON file, if one is named, with those of `--set` on top. Throws UsageError when the
 * file cannot be read or holds no object, and when nothing is given.
 */
export function readRecord({ options, io }: Session, file: string | undefined): Record<string, unknown> {
  const record = file === undefined ? {} : readFile(resolve(io.cwd ?? '.', file), file);
  for (const [name, value] of options.pairs('set')) record[name] = readValue(value);
  if (Object.keys(record).length === 0) throw new UsageError('Nothing given: name a JSON file or use --set');
  return record;
}

function readFile(path: string, shown: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`${shown} cannot be read as JSON: ${reasonOf(error)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`${shown} holds no JSON object`);
  }
  return { ...value };
}
