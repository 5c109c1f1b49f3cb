import { compileSchema, type SettingTable } from '@carillon/contract';
import type { Findings } from './findings.js';

type Fields = Readonly<Record<string, unknown>>;

/** A record of the file with the place where what is said about it goes. */
export interface PeerRecord {
  fields: Fields;
  /** Kind, id and title, for findings. */
  what: string;
  findings: Findings;
}

/** Kind, id and title of a record, in one line. */
export function nameRecord(kind: string, fields: Fields): string {
  const title = textOf(fields, 'title').replaceAll(/\s+/g, ' ').slice(0, 60);
  return `${kind} ${textOf(fields, 'id') || textOf(fields, 'username') || '?'}${title === '' ? '' : ` (${title})`}`;
}

/** Own text of a field; '' for anything else. Numbers count as text. */
export function textOf(fields: Fields, name: string): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

/** Booleans, numbers and their texts: the peer has all of them (behaviour reference 11.3). */
export const flagOf = (value: unknown): 0 | 1 =>
  value === true || (typeof value !== 'boolean' && Number(value) > 0) ? 1 : 0;

/** A count of seconds, bytes or things: 0 for what is none. */
export function countOf(value: unknown): number {
  const number = Math.floor(Number(value));
  return (typeof value === 'number' || typeof value === 'string') &&
    Number.isSafeInteger(number) &&
    number > 0
    ? number
    : 0;
}

const flagNames: ReadonlySet<string> = new Set([
  'enabled',
  'catch_up',
  'detached',
  'multiplex',
  'queue',
  'master',
  'active',
]);
const known = new WeakMap<object, (value: unknown) => boolean>();

/**
 * Those of the settings that the record has and that may be stored, flags as 0 or 1, counts as numbers; others are
 * reported and left out.
 */
export function pickStorable(settings: SettingTable, record: PeerRecord): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(settings)) {
    const value = Object.hasOwn(record.fields, name) ? record.fields[name] : undefined;
    if (value === undefined || value === null) continue;
    const stored = flagNames.has(name) ? flagOf(value) : numberWhere(schema, value);
    const check = known.get(schema) ?? compileSchema(schema);
    known.set(schema, check);
    if (check(stored)) picked[name] = stored;
    else if (value !== '') {
      record.findings.add('changed', record.what, `${name} is left out: ${shown(value)} is not allowed`);
    }
  }
  return picked;
}

/** Numbers in text, where a number is wanted. */
function numberWhere(schema: object, value: unknown): unknown {
  const isNumeric = Reflect.get(schema, 'type') === 'integer';
  if (!isNumeric || typeof value !== 'string' || !/^\s*\d+\s*$/.test(value)) return value;
  return Number(value);
}

/** A title without what titles must not hold. */
export function titleOf(record: PeerRecord): string {
  const given = textOf(record.fields, 'title');
  const title = given.replaceAll(/[<>]/g, '').slice(0, 1024);
  if (title !== given)
    record.findings.add('changed', record.what, 'the title is shortened to what is allowed');
  if (title.trim() !== '') return title;
  record.findings.add('changed', record.what, 'it has no title and gets its id as one');
  return textOf(record.fields, 'id');
}

/** When it was made and changed, Unix seconds, and by whom. */
export function stampsOf(fields: Fields): { created: number; modified: number } {
  return { created: countOf(fields['created']), modified: countOf(fields['modified'] ?? fields['created']) };
}

/** A value as a short text for people. */
export const shown = (value: unknown): string => String(JSON.stringify(value) ?? value).slice(0, 60);
