import type { EndedJob, RunRecords } from './records.js';
import { groupBy, type Violation } from './violations.js';

/** Each attempt was started at most once, and each job that is known of ended exactly once. */
export function checkJobs(records: RunRecords): Violation[] {
  return [...checkStarts(records), ...checkEnds(records), ...checkSuccesses(records)];
}

function checkStarts({ lines }: RunRecords): Violation[] {
  const starts = lines.filter(({ at }) => at === 'start');
  return [...groupBy(starts, ({ job, attempt }) => `${job}, attempt ${attempt}`)]
    .filter(([, group]) => group.length > 1)
    .map(([run, group]) => ({
      kind: 'process started twice',
      about: `job ${run}: on ${group.map(({ host }) => host).join(', ')}`,
    }));
}

function checkEnds({ active, ended, lines, runs }: RunRecords): Violation[] {
  const found: Violation[] = active.map((id) => ({
    kind: 'job without an end',
    about: `job ${id} is still active`,
  }));
  const rows = groupBy(ended, ({ id }) => id);
  // Of jobs that were asked for but are nowhere the check of launches tells.
  const asked = new Set([...active, ...runs.flatMap(({ ids }) => ids)]);
  for (const id of new Set(lines.map(({ job }) => job))) {
    if (rows.has(id) || asked.has(id)) continue;
    found.push({ kind: 'job without an end', about: `job ${id} ran and is not in the history` });
  }
  for (const [id, group] of rows) {
    if (group.length > 1) {
      found.push({ kind: 'job ended twice', about: `job ${id} has ${group.length} rows in the history` });
    }
  }
  return found;
}

/** What is said to have succeeded ran to its end, on the server that is named, and its log is whole. */
function checkSuccesses({ ended, lines }: RunRecords): Violation[] {
  const ends = groupBy(
    lines.filter(({ at }) => at === 'end'),
    ({ job }) => job,
  );
  const ran = (job: EndedJob): boolean => (ends.get(job.id) ?? []).some(({ host }) => host === job.host);
  const successes = ended.filter(({ code }) => code === 0);
  return [
    ...successes
      .filter((job) => !ran(job))
      .map(({ id, event, host }) => ({
        kind: 'success without a run' as const,
        about: `job ${id} of event ${event} did not come to its end on ${host}`,
      })),
    ...successes
      .filter(({ hasLog }) => !hasLog)
      .map(({ id, event, host }) => ({
        kind: 'success without its log' as const,
        about: `the log of job ${id} of event ${event} on ${host} is not whole`,
      })),
  ];
}
