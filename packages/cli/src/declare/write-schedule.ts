import { stringify } from 'yaml';
import { canonicalFields, isSame } from './canonical.js';
import { builtIn, type KindName, kindNames, kinds } from './kinds.js';
import type { Present, PresentRecord } from './plan.js';
import type { ScheduleFile } from './read-schedule.js';

/** Files that declare what a cluster has, and what to know about them. */
export interface WrittenSchedule {
  files: ScheduleFile[];
  count: number;
  /** How many of the records belong to nobody yet: `apply --adopt` takes them over. */
  unowned: number;
  /** Places of values that may be secrets, such as `plugin disk: params.password`. */
  secrets: string[];
}

/**
 * Files that declare the cluster's records that carry the owner's label, and, unless `ownedOnly`, those of nobody but for
 * the built-in ones. Only what differs from the presets is written. A plan of these files for the same cluster
 * holds no change, except the label of what had none.
 */
export function writeSchedule(
  present: Present,
  owner: string,
  options: { ownedOnly: boolean },
): WrittenSchedule {
  const written: WrittenSchedule = {
    files: [{ name: 'carillon.yaml', text: stringify({ owner }) }],
    count: 0,
    unowned: 0,
    secrets: [],
  };
  for (const kind of kindNames) {
    const chosen = present[kind].filter((record) => {
      if (record.managed_by) return record.managed_by === owner;
      return !options.ownedOnly && !builtIn[kind].has(record.id);
    });
    if (chosen.length === 0) continue;
    written.count += chosen.length;
    written.unowned += chosen.filter((record) => !record.managed_by).length;
    written.secrets.push(...chosen.flatMap((record) => secretsOf(kind, record)));
    // Oldest first: new records go to the end of a file.
    const rows = [...chosen].reverse().map((record) => declaration(kind, record));
    const { key } = kinds[kind];
    const text = stringify({ [key]: rows }, { lineWidth: 0, aliasDuplicateObjects: false });
    written.files.push({ name: `${key}.yaml`, text });
  }
  return written;
}

function declaration(kindName: KindName, record: PresentRecord): Record<string, unknown> {
  const kind = kinds[kindName];
  const { title, ...rest } = canonicalFields(kind, record);
  const given = Object.entries(rest).filter(([name, value]) => !isSame(value, kind.presets[name]));
  return { id: record.id, title, ...Object.fromEntries(given) };
}

function secretsOf(kind: KindName, record: PresentRecord): string[] {
  if (kind !== 'plugin') return [];
  const { params, env } = canonicalFields(kinds.plugin, record) as {
    params: { id: string; type: string; value?: unknown }[];
    env: Record<string, string>;
  };
  const hidden = params.filter(({ type, value }) => type === 'hidden' && value !== undefined && value !== '');
  return [...hidden.map(({ id }) => `params.${id}`), ...Object.keys(env).map((name) => `env.${name}`)].map(
    (place) => `plugin ${record.id}: ${place}`,
  );
}
