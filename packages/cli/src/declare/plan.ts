import { canonicalFields, isObject, isSame } from './canonical.js';
import type { DeclaredRecord } from './check-record.js';
import { type Fields, type Kind, type KindName, kindNames, kinds } from './kinds.js';
import type { Problem } from './problem.js';
import type { DeclaredSchedule } from './read-schedule.js';
import { resolveReferences } from './resolve.js';

/** A record as the cluster has it. */
export interface PresentRecord {
  id: string;
  title: string;
  managed_by?: string | undefined;
  [field: string]: unknown;
}
export type Present = Readonly<Record<KindName, readonly PresentRecord[]>>;

/** One line of a plan: a field, or a key inside one (`params.script`). */
export interface FieldChange {
  name: string;
  /** Undefined: it was not there. */
  from: unknown;
  /** Undefined: it will not be there. */
  to: unknown;
  /** Neither value may be shown. */
  secret: boolean;
}

export interface Change {
  action: 'create' | 'update' | 'delete';
  kind: KindName;
  id: string;
  title: string;
  fields: FieldChange[];
  /** Parameters of the call that carries it out. */
  request: Record<string, unknown>;
}

/** What has to be done so that the cluster is as the files say. */
export interface Plan {
  owner: string;
  /** In an order in which they can be carried out. */
  changes: Change[];
  /** How many declared records are as they should be. */
  unchanged: number;
  /** Why it cannot be carried out, if so. */
  problems: Problem[];
}

/**
 * Compares a declared schedule with the cluster. Records are found by id. Only records that carry the owner's label are
 * changed or deleted; a declared record that is there without it is a problem, unless it belongs to nobody
 * and `adopt` is set. The same files and cluster always give the same plan, and a plan that was carried out
 * leaves nothing to plan.
 */
export function planSchedule(
  schedule: DeclaredSchedule,
  present: Present,
  options: { adopt: boolean },
): Plan {
  const { owner } = schedule;
  const { records, problems } = resolveReferences(schedule.records, present, owner);
  const plan: Plan = { owner, changes: [], unchanged: 0, problems };
  for (const kind of kindNames) {
    const byId = new Map(present[kind].map((record) => [record.id, record]));
    for (const record of records.filter((one) => one.kind === kind)) {
      const existing = byId.get(record.id);
      if (existing !== undefined && !mayChange(existing, owner, options.adopt)) {
        plan.problems.push(notOurs(record, existing));
        continue;
      }
      const change = existing === undefined ? creation(record, owner) : update(record, existing, owner);
      if (change === undefined) plan.unchanged += 1;
      else plan.changes.push(change);
    }
  }
  plan.problems.push(...unknownParams(records, plan.changes, present));
  plan.changes.push(...deletions(schedule, present));
  return plan;
}

const mayChange = ({ managed_by: managedBy }: PresentRecord, owner: string, adopt: boolean): boolean =>
  managedBy === owner || (adopt && !managedBy);

function notOurs(record: DeclaredRecord, existing: PresentRecord): Problem {
  const { noun } = kinds[record.kind];
  const message = existing.managed_by
    ? `The ${noun} ${record.id} is managed by "${existing.managed_by}"; use another id`
    : `The ${noun} ${record.id} of the cluster was not made from these files; use another id, or --adopt to take it over`;
  return { file: record.file, line: record.lineOf('id'), field: 'id', message };
}

/** Given at creation also where they are as preset: the API wants them, or has other presets. */
const alwaysGiven: ReadonlySet<string> = new Set(['enabled', 'params']);

function creation(record: DeclaredRecord, owner: string): Change {
  const kind = kinds[record.kind];
  const wanted = Object.entries(canonicalFields(kind, record.fields));
  const required = new Set<string>([...alwaysGiven, ...(kind.call.params.required ?? [])]);
  const isPreset = ([name, value]: [string, unknown]): boolean => isSame(value, kind.presets[name]);
  const given = wanted.filter((field) => required.has(field[0]) || !isPreset(field));
  const fields = given.flatMap(([name, value]) => compareField(kind, name, undefined, value, record.secrets));
  const request = { ...Object.fromEntries(given), id: record.id, managed_by: owner };
  return { action: 'create', kind: kind.name, id: record.id, title: record.title, fields, request };
}

function update(record: DeclaredRecord, existing: PresentRecord, owner: string): Change | undefined {
  const kind = kinds[record.kind];
  const wanted = canonicalFields(kind, record.fields);
  const actual = canonicalFields(kind, existing);
  const changed = Object.entries(wanted).filter(([name, value]) => !isSame(value, actual[name]));
  const fields = changed.flatMap(([name, value]) =>
    compareField(kind, name, actual[name], value, record.secrets),
  );
  const request: Record<string, unknown> = { ...Object.fromEntries(changed), id: record.id };
  if (existing.managed_by !== owner) {
    fields.push({ name: 'managed_by', from: existing.managed_by ?? '', to: owner, secret: false });
    request['managed_by'] = owner;
  }
  if (fields.length === 0) return undefined;
  return { action: 'update', kind: kind.name, id: record.id, title: record.title, fields, request };
}

/** Those who refer to others go first. */
function deletions({ owner, records }: DeclaredSchedule, present: Present): Change[] {
  return [...kindNames].reverse().flatMap((kind) => {
    const declared = new Set(records.filter((record) => record.kind === kind).map(({ id }) => id));
    return present[kind]
      .filter((record) => record.managed_by === owner && !declared.has(record.id))
      .map(({ id, title }): Change => ({ action: 'delete', kind, id, title, fields: [], request: { id } }));
  });
}

/** Objects are compared key by key, and parameter definitions of plugins by their ids. */
function compareField(
  kind: Kind,
  name: string,
  from: unknown,
  to: unknown,
  secrets: ReadonlySet<string>,
): FieldChange[] {
  const line = (place: string, before: unknown, after: unknown): FieldChange => ({
    name: place,
    from: before,
    to: after,
    secret: secrets.has(place) || secrets.has(name),
  });
  const [before, after] =
    kind.name === 'plugin' && name === 'params' ? [byParamId(from), byParamId(to)] : [from, to];
  if (name === 'timing' || !isObject(after) || (before !== undefined && !isObject(before))) {
    return [line(name, from, to)];
  }
  const old = before ?? {};
  const keys = [...new Set([...Object.keys(old), ...Object.keys(after)])];
  const lines = keys
    .filter((key) => !isSame(old[key], after[key]))
    .map((key) => line(`${name}.${key}`, old[key], after[key]));
  // Only the order of parameter definitions differs.
  return lines.length === 0 && from !== undefined ? [line(name, from, to)] : lines;
}

function byParamId(params: unknown): unknown {
  if (!Array.isArray(params)) return params;
  return Object.fromEntries(params.map((param: { id: string }) => [param.id, param]));
}

/** The cluster refuses parameters that the plugin does not know, when an event is given them. */
function unknownParams(
  records: readonly DeclaredRecord[],
  changes: readonly Change[],
  present: Present,
): Problem[] {
  const events = new Map(records.filter(({ kind }) => kind === 'event').map((record) => [record.id, record]));
  const known = new Map(present.plugin.map((plugin) => [plugin.id, paramIds(plugin)]));
  for (const { kind, id, fields } of records) if (kind === 'plugin') known.set(id, paramIds(fields));
  return changes.flatMap(({ kind, id, request }) => {
    const { params } = request;
    const event = events.get(id);
    if (kind !== 'event' || event === undefined || !isObject(params)) return [];
    const plugin = String(event.fields['plugin'] ?? kinds.event.presets['plugin']);
    const names = known.get(plugin);
    if (names === undefined) return [];
    return Object.keys(params)
      .filter((name) => !names.includes(name))
      .map((name) => ({
        file: event.file,
        line: event.lineOf('params', name),
        field: `params.${name}`,
        message: `The plugin ${plugin} has no parameter ${name}; it has: ${names.join(', ') || 'none'}`,
      }));
  });
}

function paramIds(plugin: Fields): string[] {
  const { params } = canonicalFields(kinds.plugin, plugin);
  return Array.isArray(params) ? params.map((param: { id: string }) => param.id) : [];
}
