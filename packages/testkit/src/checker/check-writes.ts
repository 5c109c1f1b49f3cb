import type { EventWrite, RunRecords } from './records.js';
import { groupBy, type Violation } from './violations.js';

/** Acknowledged writes are in the schedule at the end, and nothing was written under a term that was over. */
export function checkWrites(records: RunRecords): Violation[] {
  const stored = new Map(records.stored.map((event) => [event['id'], event]));
  const found: Violation[] = [];
  for (const [event, writes] of groupBy(records.writes, (write) => write.event)) {
    for (const about of lostWrites(writes, stored.get(event))) {
      found.push({ kind: 'write lost', about: `event ${event}: ${about}` });
    }
  }
  for (const { term, present } of records.lateCommits) {
    const about = `a commit of term ${term} was applied in term ${present}`;
    found.push({ kind: 'write of a deposed primary', about });
  }
  return [...found, ...lostAborts(records)];
}

type Stored = Readonly<Record<string, unknown>> | undefined;

function lostWrites(writes: readonly EventWrite[], stored: Stored): string[] {
  const existence = possible(
    writes,
    ({ what }) => (what === 'update' ? undefined : what === 'create'),
    false,
  );
  if (stored === undefined) return existence.has(false) ? [] : ['it is gone'];
  if (!existence.has(true)) return ['it was deleted and is still there'];
  const names = new Set(writes.flatMap(({ fields }) => Object.keys(fields)));
  const lost: string[] = [];
  for (const name of names) {
    const values = possible(writes, ({ fields }) => JSON.stringify(fields[name]), undefined);
    const value = JSON.stringify(stored[name]);
    if (!values.has(value)) lost.push(`${name} is ${value} instead of ${[...values].join(' or ')}`);
  }
  return lost;
}

/** What a value may be after all writes: that of the last one that is sure, or of an unsure one after it. */
function possible<T>(
  writes: readonly EventWrite[],
  valueOf: (write: EventWrite) => T | undefined,
  before: T | undefined,
): Set<T | undefined> {
  let values = new Set<T | undefined>([before]);
  for (const write of writes) {
    const value = valueOf(write);
    if (value === undefined) continue;
    if (write.fate === 'acknowledged') values = new Set([value]);
    else values.add(value);
  }
  return values;
}

function lostAborts({ aborted, ended }: RunRecords): Violation[] {
  const rows = groupBy(ended, ({ id }) => id);
  return aborted
    .filter((id) => rows.get(id)?.some(({ description }) => !description.startsWith('Job Aborted')))
    .map((id) => ({ kind: 'write lost', about: `job ${id} was aborted and ended otherwise` }));
}
