import { isMap, isNode, isScalar, LineCounter, parseAllDocuments, type Document } from 'yaml';
import { reasonOf } from '../failures.js';
import { nearestName } from '../nearest.js';
import { isObject } from './canonical.js';
import { type KindName, kindNames, kinds } from './kinds.js';
import type { Problem } from './problem.js';
import { resolveValues, type ValueSources, valueTags } from './values.js';

type Path = readonly (string | number)[];

/** A record as a file gives it, with its values, before any check. */
export interface FileRecord {
  kind: KindName;
  fields: Record<string, unknown>;
  /** Places whose values came from the environment, such as `params.password`. */
  secrets: ReadonlySet<string>;
  file: string;
  /** Line of the record, of one of its fields, or of a key inside one. */
  readonly lineOf: (...place: string[]) => number;
}

export interface ParsedFile {
  owner?: { label: unknown; line: number };
  records: FileRecord[];
  problems: Problem[];
}

const topKeys = ['owner', ...kindNames.map((name) => kinds[name].key)];
/** Enough for a library of shared settings, too few to fill the memory. */
const maxAliasCount = 1000;

/**
 * Reads the text of one file: YAML, one or more documents, each with any of `owner`, `groups`, `categories`, `plugins` and
 * `events`. Never throws; whatever is wrong is a problem with its line.
 */
export function parseFile(file: string, text: string, sources: ValueSources): ParsedFile {
  const parsed: ParsedFile = { records: [], problems: [] };
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    customTags: valueTags,
  });
  if (!Array.isArray(documents)) return parsed;
  for (const document of documents) {
    const faults = [...document.errors, ...document.warnings];
    for (const { pos, message } of faults) {
      parsed.problems.push({ file, line: lines.linePos(pos[0]).line, message });
    }
    if (faults.length === 0) readDocument({ file, document, lines, sources, parsed });
  }
  return parsed;
}

interface Reading {
  file: string;
  document: Document;
  lines: LineCounter;
  sources: ValueSources;
  parsed: ParsedFile;
}

function readDocument(reading: Reading): void {
  const { document, parsed } = reading;
  const report = (path: Path, message: string): void => {
    parsed.problems.push({ file: reading.file, line: lineAt(reading, path), message });
  };
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount });
  } catch (error) {
    return report([], reasonOf(error));
  }
  if (content === null || content === undefined) return;
  if (!isObject(content)) return report([], `Expected a mapping with the keys ${topKeys.join(', ')}`);
  for (const [key, value] of Object.entries(content)) {
    const kind = kindNames.find((name) => kinds[name].key === key);
    if (key === 'owner') parsed.owner = { label: value, line: lineAt(reading, [key]) };
    else if (kind === undefined) report([key], `Unknown key: ${key}${hint(key, topKeys)}`);
    else if (Array.isArray(value)) readList(reading, kind, value);
    else if (value !== null) report([key], `${key} must be a list`);
  }
}

function readList(reading: Reading, kind: KindName, list: readonly unknown[]): void {
  const { file, parsed, sources } = reading;
  for (const [index, item] of list.entries()) {
    const path: Path = [kinds[kind].key, index];
    if (!isObject(item)) {
      const message = `Every one of ${kinds[kind].key} must be a mapping of fields`;
      parsed.problems.push({ file, line: lineAt(reading, path), message });
      continue;
    }
    const { value, secrets, faults } = resolveValues(item, file, sources);
    for (const { place, message } of faults) {
      parsed.problems.push({
        file,
        line: lineAt(reading, [...path, ...place]),
        field: place.join('.'),
        message,
      });
    }
    // A record without some of its values must not be checked for what it lacks.
    if (faults.length > 0) continue;
    const lineOf = (...place: string[]): number => lineAt(reading, [...path, ...place]);
    parsed.records.push({ kind, fields: isObject(value) ? value : {}, secrets, file, lineOf });
  }
}

/** The line of the innermost place that is there; of a field it is that of its name. */
function lineAt({ document, lines }: Reading, path: Path): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = length === 0 ? document.contents : keyOrItem(document, path.slice(0, length));
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function keyOrItem(document: Document, path: Path): unknown {
  const parent: unknown = document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (!isMap(parent)) return document.getIn(path, true);
  return parent.items.find(({ key }) => isScalar(key) && key.value === last)?.key;
}

/** `. Did you mean X?`, or nothing. */
export function hint(typed: string, known: readonly string[]): string {
  const name = nearestName(typed, known);
  return name === undefined ? '' : `. Did you mean ${name}?`;
}
