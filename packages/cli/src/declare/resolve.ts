import type { DeclaredRecord } from './check-record.js';
import { kindNames, kinds, references } from './kinds.js';
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
  const places = new Map(
    kindNames.map((kind) => {
      const declared = records.filter((record) => record.kind === kind);
      const staying = present[kind].filter(({ managed_by: managedBy }) => managedBy !== owner);
      return [kind, [new NameIndex(declared), new NameIndex(staying)] as const];
    }),
  );
  const resolved = records.map((record) => {
    if (record.kind !== 'event') return record;
    const fields = { ...record.fields };
    for (const [field, kind] of Object.entries(references)) {
      const text = fields[field];
      if (typeof text !== 'string' || text === '') continue;
      const found = find(text, places.get(kind) ?? []);
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

/** Records by id and by title. */
class NameIndex {
  readonly #byId = new Map<string, Named>();
  readonly #byTitle = new Map<string, Named[]>();

  constructor(records: readonly Named[]) {
    for (const record of records) {
      this.#byId.set(record.id, record);
      const titled = this.#byTitle.get(record.title);
      if (titled === undefined) this.#byTitle.set(record.title, [record]);
      else titled.push(record);
    }
  }

  byId(id: string): Named | undefined {
    return this.#byId.get(id);
  }

  byTitle(title: string): readonly Named[] {
    return this.#byTitle.get(title) ?? [];
  }
}

function find(text: string, places: readonly NameIndex[]): readonly Named[] {
  for (const place of places) {
    const found = place.byId(text);
    if (found !== undefined) return [found];
  }
  return places.map((place) => place.byTitle(text)).find((titled) => titled.length > 0) ?? [];
}
