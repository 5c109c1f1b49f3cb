import { type ApiCall, CarillonError, checkParameters } from '@carillon/contract';
import { checkPluginParams, isTimezone } from '@carillon/core';
import { parseTiming } from '../crontab/parse-timing.js';
import { reasonOf } from '../failures.js';
import { isObject } from './canonical.js';
import { type Kind, type KindName, kinds, references } from './kinds.js';
import { type FileRecord, hint } from './parse-file.js';
import type { Problem } from './problem.js';

/** A record as files declare it: valid in itself, its references still texts. */
export interface DeclaredRecord {
  kind: KindName;
  id: string;
  title: string;
  fields: Record<string, unknown>;
  /** Lines of a plan that must not be shown, such as `params.password`. */
  secrets: ReadonlySet<string>;
  file: string;
  readonly lineOf: (...place: string[]) => number;
}

/**
 * Checks one record against the schemas of the API, field by field, and against the rules that need no other record.
 * Answers the record when nothing is wrong, else every problem with its line.
 */
export function checkRecord(record: FileRecord): { declared?: DeclaredRecord; problems: Problem[] } {
  const kind = kinds[record.kind];
  const problems: Problem[] = [];
  const report = (field: string | undefined, message: string): void => {
    const { file } = record;
    problems.push({
      file,
      line: record.lineOf(...(field === undefined ? [] : [field])),
      ...(field === undefined ? {} : { field }),
      message,
    });
  };
  const fields = expandCron(record, report);
  checkNames(kind, fields, report);
  for (const name of kind.fields) {
    const message = Object.hasOwn(fields, name) ? faultOf(kind, name, fields[name]) : undefined;
    if (message !== undefined) report(name, message);
  }
  for (const name of requiredFields(kind)) {
    if (fields[name] === undefined) report(undefined, `Missing field: ${name}`);
  }
  const title = String(fields['title']);
  const id = identify(fields['id'], title);
  if (problems.length === 0 && id === '') report('title', 'No id can be made from the title: give an id');
  if (problems.length > 0) return { problems };
  const { file, lineOf } = record;
  const { id: _id, ...rest } = fields;
  const secrets = secretLines(record, fields['params']);
  return { declared: { kind: record.kind, id, title, fields: rest, secrets, file, lineOf }, problems };
}

type Report = (field: string | undefined, message: string) => void;

/** `cron` is another way to write `timing`. */
function expandCron({ kind, fields }: FileRecord, report: Report): Record<string, unknown> {
  if (kind !== 'event' || !Object.hasOwn(fields, 'cron')) return fields;
  const { cron, ...rest } = fields;
  if (Object.hasOwn(fields, 'timing')) report('cron', 'Give either cron or timing');
  if (typeof cron !== 'string') {
    report('cron', 'Must be a text such as "30 4 * * 1-5"');
    return rest;
  }
  try {
    return { ...rest, timing: parseTiming(cron, String(fields['title'])) };
  } catch (error) {
    report('cron', reasonOf(error));
    return rest;
  }
}

/** The API keeps or ignores what it does not know; in a file it is most likely a slip. */
function checkNames(kind: Kind, fields: Readonly<Record<string, unknown>>, report: Report): void {
  const known = ['id', ...(kind.name === 'event' ? ['cron'] : []), ...kind.fields];
  for (const name of Object.keys(fields)) {
    if (!known.includes(name)) report(name, `Unknown field of ${kind.key}: ${name}${hint(name, known)}`);
  }
  const { id } = fields;
  if (id !== undefined && (typeof id !== 'string' || !/^[a-z0-9_]{1,64}$/.test(id))) {
    report('id', 'Must be 1 to 64 lower-case letters, digits or _');
  }
}

/** Fields that must be in the file: those the API requires and that have no preset. */
const requiredFields = ({ call, presets }: Kind): string[] =>
  requiredBy(call).filter((name) => presets[name] === undefined || presets[name] === '');

const requiredBy = (call: ApiCall): string[] => [...(call.params.required ?? [])];

/** What the API would say about this field alone. */
function faultOf(kind: Kind, name: string, value: unknown): string | undefined {
  // A reference may be a title: what it becomes is checked when it is resolved.
  if (kind.name === 'event' && Object.hasOwn(references, name)) {
    return typeof value === 'string' ? undefined : 'Must be an id or a title';
  }
  try {
    checkParameters(callWithOnly(kind, name), { [name]: value });
    if (kind.name === 'plugin' && name === 'params') checkPluginParams(value);
  } catch (error) {
    if (error instanceof CarillonError) return error.message;
    throw error;
  }
  if (name === 'timezone' && value !== '' && !isTimezone(String(value)))
    return `Unknown time zone: ${String(value)}`;
  return name === 'regexp' ? faultOfExpression(String(value)) : undefined;
}

/** Made once for each field: schemas are compiled for each object that holds them. */
const calls = new Map<string, ApiCall>();

/** The call as if this were its only parameter. */
function callWithOnly(kind: Kind, name: string): ApiCall {
  const key = `${kind.name} ${name}`;
  const known = calls.get(key);
  if (known !== undefined) return known;
  const { properties } = kind.call.params;
  const only = Object.fromEntries(Object.entries(properties).filter(([field]) => field === name));
  const required = requiredBy(kind.call).filter((field) => field === name);
  const call: ApiCall = {
    ...kind.call,
    params: { ...kind.call.params, properties: only, required: required as [string] },
  };
  calls.set(key, call);
  return call;
}

function faultOfExpression(regexp: string): string | undefined {
  try {
    new RegExp(regexp, 'i');
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** The id that was given, else one made of the title, so that it stays the same in every run. */
function identify(id: unknown, title: string): string {
  if (typeof id === 'string') return id;
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, 64);
}

/** In files parameter definitions of a plugin are a list; plans name them by their ids. */
function secretLines({ kind, secrets }: FileRecord, params: unknown): ReadonlySet<string> {
  if (kind !== 'plugin' || !Array.isArray(params)) return secrets;
  const byId = params.map((param: unknown, index): [string, string] => [
    `params.${index}`,
    `params.${isObject(param) ? String(param['id']) : index}`,
  ]);
  const names = new Map(byId);
  return new Set([...secrets].map((place) => names.get(place) ?? place));
}
