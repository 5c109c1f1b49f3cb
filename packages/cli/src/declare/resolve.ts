import type { DeclaredRecord } from './check-record.js';
import { type KindName, kinds, references } from './kinds.js';
import type { Present } from './plan.js';
import type { Problem } from './problem.js';

/** A record that a text may mean. */
interface Named {
  id: string;
  title: string;
}

/**
 * Replaces references by ids. A text means: the record of that id; else the only one of that title among the files, else
 * among the cluster's. Records of the cluster that this plan deletes do not count. A target that is no group is taken
 * for a host name or a label of workers, and a chain to an unknown id is kept, as the API does. Everything else that is not
 * found, or is ambiguous, is a problem.
 */
export function resolveReferences(
  records: readonly DeclaredRecord[],
  present: Present,
  owner: string,
): { records: DeclaredRecord[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const declaredOf = (kind: KindName): Named[] => records.filter((record) => record.kind === kind);
  const stayingOf = (kind: KindName): Named[] =>
    present[kind]
      .filter(({ managed_by: managedBy }) => managedBy !== owner)
      .map(({ id, title }) => ({ id, title }));
  const resolved = records.map((record) => {
    if (record.kind !== 'event') return record;
    const fields = { ...record.fields };
    for (const [field, kind] of Object.entries(references)) {
      const text = fields[field];
      if (typeof text !== 'string' || text === '') continue;
      const found = find(text, declaredOf(kind), stayingOf(kind));
      if (found.length === 1) fields[field] = found[0]?.id;
      else if (found.length > 1 || unknownForms[field]?.test(text) !== true) {
        const { noun, key } = kinds[kind];
        const message =
          found.length > 1
            ? `"${text}" is the title of ${found.length} ${key}: ${found.map(({ id }) => id).join(', ')}; use an id`
            : `No ${noun} has the id or title "${text}", neither in the files nor in the cluster`;
        problems.push({ file: record.file, line: record.lineOf(field), field, message });
      }
    }
    return { ...record, fields };
  });
  return { records: resolved, problems };
}

/** What a reference to something unknown must look like, where that may be. */
const unknownForms: Readonly<Record<string, RegExp>> = {
  target: /^[\w\-.]{1,255}$/,
  chain: /^\w{1,64}$/,
  chain_error: /^\w{1,64}$/,
};

function find(text: string, declared: readonly Named[], staying: readonly Named[]): Named[] {
  const byId = [...declared, ...staying].find(({ id }) => id === text);
  if (byId !== undefined) return [byId];
  const titled = declared.filter(({ title }) => title === text);
  return titled.length > 0 ? titled : staying.filter(({ title }) => title === text);
}
