import { describe, expect, test } from '@jest/globals';
import {
  checkRun,
  type EndedJob,
  type EventWrite,
  type JobLine,
  type RunRecords,
  type ViolationKind,
  violationKinds,
} from '@carillon/testkit';

const at = 1_800_000_000;
const minute = (n: number): number => at + 60 * n;

const write = (event: string, more: Partial<EventWrite> = {}): EventWrite => ({
  event,
  what: 'create',
  fate: 'acknowledged',
  askedSec: at + 10,
  endedSec: at + 11,
  fields: { enabled: 1, timing: {}, notes: 'first' },
  ...more,
});

const ended = (id: string, event: string, now: number, more: Partial<EndedJob> = {}): EndedJob => ({
  id,
  event,
  now,
  source: '',
  sourceJob: '',
  host: 'w1',
  code: 0,
  description: '',
  hasLog: true,
  ...more,
});

const line = (where: JobLine['at'], job: string, event: string, more: Partial<JobLine> = {}): JobLine => ({
  at: where,
  job,
  attempt: 1,
  event,
  minute: minute(1),
  host: 'w1',
  ...more,
});

const linesOf = (jobs: readonly EndedJob[]): JobLine[] =>
  jobs.flatMap(({ id, event, now, host }) =>
    (['start', 'end'] as const).map((where) => line(where, id, event, { minute: now, host })),
  );

/** Two minutes of one event, a request, a chain, a deleted event, and a multiplexed one: all as it should be. */
function cleanRun(): RunRecords {
  const jobs = [
    ended('j1', 'plain', minute(1)),
    ended('j2', 'plain', minute(2)),
    ended('r1', 'asked', at + 30, { source: 'API Key (test)' }),
    ended('c1', 'follower', at + 31, { source: 'Chain Reaction (asked)', sourceJob: 'r1' }),
    ended('m1', 'wide', minute(1)),
    ended('m2', 'wide', minute(1), { host: 'w2' }),
    ended('m3', 'wide', minute(2)),
  ];
  return {
    writes: [
      write('plain'),
      write('plain', { what: 'update', askedSec: at + 20, endedSec: at + 20, fields: { notes: 'second' } }),
      write('asked', { fields: { enabled: 1, chain: 'follower' } }),
      write('follower', { fields: { enabled: 1 } }),
      write('wide', { fields: { enabled: 1, timing: {}, multiplex: 1 } }),
      write('gone', { fields: { enabled: 1 } }),
      write('gone', { what: 'delete', askedSec: at + 20, endedSec: at + 20, fields: {} }),
    ],
    runs: [{ event: 'asked', fate: 'acknowledged', ids: ['r1'] }],
    aborted: [],
    lines: linesOf(jobs),
    ended: jobs,
    active: [],
    excuses: [],
    stored: [
      { id: 'plain', enabled: 1, timing: {}, notes: 'second' },
      { id: 'asked', enabled: 1, chain: 'follower' },
      { id: 'follower', enabled: 1 },
      { id: 'wide', enabled: 1, timing: {}, multiplex: 1 },
    ],
    lateCommits: [],
    settledMinute: minute(2),
    lastMinute: minute(3),
  };
}

const found = (records: RunRecords): ViolationKind[] => {
  const { counts } = checkRun(records);
  return violationKinds.flatMap((kind) => Array<ViolationKind>(counts[kind]).fill(kind));
};

type Doctor = (clean: RunRecords) => Partial<RunRecords>;

const without = (clean: RunRecords, ...ids: string[]): Partial<RunRecords> => ({
  ended: clean.ended.filter(({ id }) => !ids.includes(id)),
  lines: clean.lines.filter(({ job }) => !ids.includes(job)),
});
const withJobs = (clean: RunRecords, ...jobs: EndedJob[]): Partial<RunRecords> => ({
  ended: [...clean.ended, ...jobs],
  lines: [...clean.lines, ...linesOf(jobs)],
});
const change = (clean: RunRecords, id: string, more: Partial<EndedJob>): Partial<RunRecords> => ({
  ended: clean.ended.map((job) => (job.id === id ? { ...job, ...more } : job)),
});

test('a run in which all is well passes', () => {
  expect(checkRun(cleanRun())).toMatchObject({
    violations: [],
    seen: { jobs: 7, starts: 7, writes: 7, requests: 1, events: 5 },
  });
});

describe('each kind of violation is found', () => {
  test.each<[string, ViolationKind, Doctor]>([
    ['a minute without a job', 'launch lost', (clean) => without(clean, 'j2')],
    ['a minute of all servers without a job', 'launch lost', (clean) => without(clean, 'm1', 'm2')],
    ['a chain that did not happen', 'launch lost', (clean) => without(clean, 'c1')],
    [
      'an id in an answer that nobody knows',
      'launch lost',
      (clean) => ({ runs: [...clean.runs, { event: 'asked', fate: 'acknowledged', ids: ['r2'] }] }),
    ],
    [
      'two jobs of one minute',
      'launch doubled',
      (clean) => withJobs(clean, ended('j3', 'plain', minute(2), { host: 'w2' })),
    ],
    [
      'two jobs of one minute on one server',
      'launch doubled',
      (clean) => withJobs(clean, ended('m4', 'wide', minute(1))),
    ],
    [
      'two jobs of one minute, of which the first failed',
      'launch doubled',
      (clean) => withJobs(clean, ended('j3', 'plain', minute(2), { code: 1 })),
    ],
    [
      'a request that was answered once and done twice',
      'launch doubled',
      (clean) => withJobs(clean, ended('r2', 'follower', at, { source: 'API Key (test)' })),
    ],
    [
      'a chain that happened twice',
      'launch doubled',
      (clean) => withJobs(clean, ended('c2', 'follower', at, { source: 'Chain', sourceJob: 'r1' })),
    ],
    [
      'a minute before the event existed',
      'launch not asked for',
      (clean) => withJobs(clean, ended('j0', 'plain', minute(0))),
    ],
    [
      'a minute after the scheduler was off',
      'launch not asked for',
      (clean) => withJobs(clean, ended('j9', 'plain', minute(9))),
    ],
    [
      'an attempt on two servers',
      'process started twice',
      (clean) => ({ lines: [...clean.lines, line('start', 'j1', 'plain', { host: 'w2' })] }),
    ],
    [
      'an old value',
      'write lost',
      (clean) => ({
        stored: clean.stored.map((event) => (event['id'] === 'plain' ? { ...event, notes: 'first' } : event)),
      }),
    ],
    ['an event that is gone', 'write lost', (clean) => ({ stored: clean.stored.slice(0, 3) })],
    ['a deleted event', 'write lost', (clean) => ({ stored: [...clean.stored, { id: 'gone', enabled: 1 }] })],
    ['an abort that did nothing', 'write lost', () => ({ aborted: ['j1'] })],
    ['an active job', 'job without an end', (clean) => ({ active: ['j3'], lines: clean.lines })],
    [
      'a process without a history row',
      'job without an end',
      (clean) => ({ lines: [...clean.lines, line('start', 'j3', 'plain')] }),
    ],
    [
      'two history rows',
      'job ended twice',
      (clean) => ({ ended: [...clean.ended, ended('j1', 'plain', minute(1))] }),
    ],
    [
      'a success of a job that never ran',
      'success without a run',
      (clean) => ({ lines: clean.lines.filter(({ job }) => job !== 'j1') }),
    ],
    [
      'a success with half a log',
      'success without its log',
      (clean) => change(clean, 'j1', { hasLog: false }),
    ],
    ['a success on another server', 'success without a run', (clean) => change(clean, 'j1', { host: 'w2' })],
    [
      'a commit after its term',
      'write of a deposed primary',
      () => ({ lateCommits: [{ term: 1, present: 2 }] }),
    ],
  ])('%s: %s', (_what, kind, doctor) => {
    const clean = cleanRun();
    expect(found({ ...clean, ...doctor(clean) })).toEqual([kind]);
  });
});

describe('what the rules allow passes', () => {
  const catchUp = write('plain', { fields: { enabled: 1, timing: {}, catch_up: 1 } });
  test.each<[string, Doctor]>([
    [
      'a missed minute with a record of it',
      (clean) => ({
        ...without(clean, 'j2'),
        excuses: [{ event: 'plain', from: minute(2), to: minute(2) }],
      }),
    ],
    [
      'a minute that the last tick had not come to',
      (clean) => ({ ...without(clean, 'j2', 'm3'), settledMinute: minute(1) }),
    ],
    [
      'a lost minute of a catch-up event, made up',
      (clean) => {
        const again = withJobs(clean, ended('j3', 'plain', minute(1), { code: 1 }));
        const stored = clean.stored.map((event) =>
          event['id'] === 'plain' ? { ...event, notes: undefined, catch_up: 1 } : event,
        );
        return {
          ...again,
          writes: [catchUp, ...clean.writes.filter(({ event }) => event !== 'plain')],
          stored,
        };
      },
    ],
    [
      'an unsure write that happened, or did not',
      (clean) => ({
        writes: [
          ...clean.writes,
          write('plain', { what: 'update', fate: 'unsure', fields: { notes: 'third' } }),
        ],
      }),
    ],
    [
      'an unsure request that happened',
      (clean) => ({
        ...withJobs(clean, ended('r2', 'follower', at, { source: 'API Key (test)' })),
        runs: [...clean.runs, { event: 'follower', fate: 'unsure', ids: [] }],
      }),
    ],
    [
      'an aborted job',
      (clean) => ({
        ...change(clean, 'j1', { code: 1, description: 'Job Aborted: by a test' }),
        aborted: ['j1'],
      }),
    ],
    ['two attempts', (clean) => ({ lines: [...clean.lines, line('start', 'j1', 'plain', { attempt: 2 })] })],
  ])('%s', (_what, doctor) => {
    const clean = cleanRun();
    expect(found({ ...clean, ...doctor(clean) })).toEqual([]);
  });
});
