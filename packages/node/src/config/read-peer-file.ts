import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Static } from 'typebox';
import { isValid } from './tables/check-value.js';
import { meantHint } from './nearest-name.js';
import {
  isPeerSettingName,
  type PeerSettingName,
  peerSettingNames,
  peerSettingOf,
  peerSettings,
  unusedPeerSettings,
} from './tables/peer-settings.js';
import { quote } from './read-environment.js';

/** The value that the file gives a key, of the type of its schema; undefined when not given or bad. */
export type PeerGiven = <Name extends PeerSettingName>(
  name: Name,
) => Static<(typeof peerSettings)[Name]['schema']> | undefined;

/** The file as read. */
export interface PeerFile {
  readonly path: string;
  /** Where relative paths in it start. */
  readonly directory: string;
  readonly given: PeerGiven;
  /** Everything in it by key, unchecked. */
  readonly content: ReadonlyMap<string, unknown>;
}

/** What a node without a file has. */
export const noPeerFile: PeerFile = { path: '', directory: '', given: () => undefined, content: new Map() };

/**
 * Reads Cronicle's settings from a JSON file (behaviour reference 11.1). Adds to `problems` when the file cannot
 * be read, is not a JSON object or has unknown keys or bad values, and to `warnings` the keys without effect.
 */
export function readPeerFile(path: string, problems: string[], warnings: string[]): PeerFile {
  const content = new Map(Object.entries(parseFile(path, problems)));
  const given: PeerGiven = (name) => {
    const schema: (typeof peerSettings)[typeof name]['schema'] = peerSettings[name].schema;
    const value = content.get(name);
    return isValid(schema, value) ? value : undefined;
  };
  const unused: string[] = [];
  for (const [key, value] of content) {
    if (!isPeerSettingName(key)) {
      if (unusedPeerSettings.includes(key)) unused.push(key);
      else problems.push(`${key} (in ${path}): unknown setting${meantHint(key, allKeys)}`);
    } else if (given(key) === undefined) {
      problems.push(`${key} (in ${path}): expected ${peerSettingOf(key).expects}, got ${shown(key, value)}`);
    }
  }
  if (unused.length > 0) warnings.push(`Not used by this version (in ${path}): ${unused.sort().join(', ')}`);
  return { path, directory: dirname(path), given, content };
}

const shown = (key: PeerSettingName, value: unknown): string =>
  peerSettingOf(key).secret ? 'something else' : quote(value);

const allKeys = [...peerSettingNames, ...unusedPeerSettings];

function parseFile(path: string, problems: string[]): object {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    problems.push(`CARILLON_CONFIG: cannot read the file ${path}: ${reasonOf(error)}`);
    return {};
  }
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content;
    problems.push(`CARILLON_CONFIG: ${path} must hold one JSON object`);
  } catch (error) {
    problems.push(`CARILLON_CONFIG: ${path} is not JSON: ${reasonOf(error)}`);
  }
  return {};
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
