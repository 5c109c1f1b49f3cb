import { checkRecord, type DeclaredRecord } from './check-record.js';
import { type FileRecord, type ParsedFile, parseFile } from './parse-file.js';
import type { Problem } from './problem.js';
import type { ValueSources } from './values.js';

/** A file of a declared schedule. */
export interface ScheduleFile {
  /** Path below the directory, with `/`. */
  name: string;
  text: string;
}

/** What the files of a directory declare together. */
export interface DeclaredSchedule {
  /** Label that marks what this directory looks after. */
  owner: string;
  records: DeclaredRecord[];
}

/**
 * Reads all files of a directory. Answers the schedule when nothing is wrong, else every problem there is, in the order
 * of files and lines. `owner` wins over what the files say.
 */
export function readSchedule(
  files: readonly ScheduleFile[],
  sources: ValueSources,
  owner?: string,
): { schedule?: DeclaredSchedule; problems: Problem[] } {
  const parsed = files.map(({ name, text }) => ({ name, ...parseFile(name, text, sources) }));
  const problems = parsed.flatMap((file) => file.problems);
  const checked = parsed.flatMap((file) => file.records.map((record: FileRecord) => checkRecord(record)));
  problems.push(...checked.flatMap((result) => result.problems));
  const records = checked.flatMap(({ declared }) => (declared === undefined ? [] : [declared]));
  problems.push(...repeatedIds(records));
  const label = owner ?? findOwner(parsed, problems);
  problems.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
  if (problems.length > 0 || label === undefined) return { problems };
  return { schedule: { owner: label, records }, problems };
}

export const ownerPattern = /^[\w\-.]{1,64}$/;

/** Reports a problem when there is not exactly one label. */
function findOwner(
  parsed: readonly ({ name: string } & ParsedFile)[],
  problems: Problem[],
): string | undefined {
  let found: string | undefined;
  for (const { name: file, owner } of parsed) {
    if (owner === undefined) continue;
    const { label, line } = owner;
    if (typeof label !== 'string' || !ownerPattern.test(label)) {
      problems.push({ file, line, field: 'owner', message: 'Must be 1 to 64 letters, digits, _, - or .' });
    } else if (found !== undefined && found !== label) {
      problems.push({ file, line, field: 'owner', message: `The directory has an owner already: ${found}` });
    }
    found ??= typeof label === 'string' ? label : '';
  }
  if (found === undefined) {
    const file = parsed[0]?.name ?? 'carillon.yaml';
    const message =
      'No file says who owns this schedule: add "owner: NAME" to one of them, or use --owner. NAME marks what this directory looks after';
    problems.push({ file, line: 1, message });
  }
  return found;
}

function repeatedIds(records: readonly DeclaredRecord[]): Problem[] {
  const first = new Map<string, DeclaredRecord>();
  const problems: Problem[] = [];
  for (const record of records) {
    const key = `${record.kind} ${record.id}`;
    const earlier = first.get(key);
    if (earlier === undefined) first.set(key, record);
    else {
      const message = `The id ${record.id} is used twice, first in ${earlier.file}:${earlier.lineOf()}; it is made from the title where none is given`;
      problems.push({ file: record.file, line: record.lineOf(), message });
    }
  }
  return problems;
}
