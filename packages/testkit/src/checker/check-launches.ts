import { demandOf, floorMinute } from './demand.js';
import type { EndedJob, EventWrite, Excuse, RunRecords } from './records.js';
import { groupBy, type Violation } from './violations.js';

const minuteSec = 60;

/** Scheduled launches: each demanded minute of each event once, on each server at most once, and no other. */
export function checkScheduled(records: RunRecords): Violation[] {
  const scheduled = groupBy(records.ended.filter(isScheduled), ({ event }) => event);
  const found: Violation[] = [];
  for (const [event, writes] of groupBy(records.writes, (write) => write.event)) {
    const byMinute = groupBy(distinct(scheduled.get(event) ?? []), ({ now }) => floorMinute(now));
    const first = floorMinute(Math.min(...writes.map(({ askedSec }) => askedSec)));
    const last = Math.max(records.lastMinute, ...byMinute.keys());
    for (let minute = first; minute <= last; minute += minuteSec) {
      found.push(...checkMinute(records, event, writes, minute, byMinute.get(minute) ?? []));
    }
  }
  return found;
}

/** Jobs that run_event answered with exist, and no others do; a chain that is due happens once. */
export function checkAsked(records: RunRecords): Violation[] {
  return [...checkRequests(records), ...checkChains(records)];
}

function checkMinute(
  records: RunRecords,
  event: string,
  writes: readonly EventWrite[],
  minute: number,
  jobs: readonly EndedJob[],
): Violation[] {
  const demand = minute > records.lastMinute ? 'must not' : demandOf(writes, minute);
  const place = `event ${event}, minute ${minute}`;
  if (jobs.length === 0) {
    const isDue = demand === 'must' && minute <= records.settledMinute;
    return isDue && !isExcused(records.excuses, event, minute) ? [{ kind: 'launch lost', about: place }] : [];
  }
  const ids = jobs.map(({ id }) => id).join(' ');
  if (demand === 'must not') return [{ kind: 'launch not asked for', about: `${place}: ${ids}` }];
  const extra = isMultiplexed(writes) ? mostOnOneHost(jobs) - 1 : jobs.length - 1;
  // A minute of a catch-up event whose job was lost is launched once more.
  const redone = isCatchUp(writes) ? jobs.filter(({ code }) => code !== 0).length : 0;
  return extra > redone ? [{ kind: 'launch doubled', about: `${place}: ${ids}` }] : [];
}

function isExcused(excuses: readonly Excuse[], event: string, minute: number): boolean {
  return excuses.some(
    ({ event: named, from, to }) =>
      (named === undefined || named === event) && from <= minute && minute <= to,
  );
}

function mostOnOneHost(jobs: readonly EndedJob[]): number {
  return Math.max(...[...groupBy(jobs, ({ host }) => host).values()].map((group) => group.length));
}

function checkRequests({ runs, ended, writes }: RunRecords): Violation[] {
  const known = new Set(ended.map(({ id }) => id));
  const found: Violation[] = [];
  for (const { event, ids } of runs) {
    for (const id of ids) {
      if (!known.has(id))
        found.push({ kind: 'launch lost', about: `job ${id} of event ${event}, asked for` });
    }
  }
  const answered = new Set(runs.flatMap(({ ids }) => ids));
  const unsure = groupBy(
    runs.filter(({ fate }) => fate === 'unsure'),
    ({ event }) => event,
  );
  const surplus = distinct(ended).filter((job) => isByRequest(job) && !answered.has(job.id));
  for (const [event, jobs] of groupBy(surplus, (job) => job.event)) {
    // A lost job of a catch-up event is replaced by another.
    if (isCatchUp(writes.filter((write) => write.event === event))) continue;
    if (jobs.length <= (unsure.get(event)?.length ?? 0)) continue;
    const about = `event ${event}, nobody asked for: ${jobs.map(({ id }) => id).join(' ')}`;
    found.push({ kind: 'launch doubled', about });
  }
  return found;
}

function checkChains({ ended, writes }: RunRecords): Violation[] {
  const chains = new Map<string, string>();
  for (const { event, fields } of writes) {
    if (typeof fields['chain'] === 'string') chains.set(event, fields['chain']);
  }
  const bySource = groupBy(distinct(ended), ({ sourceJob }) => sourceJob);
  const found: Violation[] = [];
  for (const job of distinct(ended)) {
    const chain = chains.get(job.event);
    const followers = bySource.get(job.id) ?? [];
    const wanted = chain !== undefined && job.code === 0 ? 1 : 0;
    const about = `job ${job.id} of event ${job.event} was followed by ${followers.length} jobs of ${wanted}`;
    if (followers.length < wanted) found.push({ kind: 'launch lost', about });
    if (followers.length > wanted) found.push({ kind: 'launch doubled', about });
  }
  return found;
}

/** A job whose history has two rows is one job; that is found elsewhere. */
const distinct = (jobs: readonly EndedJob[]): EndedJob[] => [
  ...new Map(jobs.map((job) => [job.id, job])).values(),
];

const isScheduled = ({ source }: EndedJob): boolean => source === '';
const isByRequest = ({ source, sourceJob }: EndedJob): boolean => source !== '' && sourceJob === '';
const isCatchUp = (writes: readonly EventWrite[]): boolean =>
  writes.some(({ fields }) => fields['catch_up'] === 1);
const isMultiplexed = (writes: readonly EventWrite[]): boolean =>
  writes.some(({ fields }) => fields['multiplex'] === 1);
