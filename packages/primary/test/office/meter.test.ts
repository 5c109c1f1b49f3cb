import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Meter } from '../../src/index.js';
import { admin, newEvent, officeOf, OfficeWorld, onDemand } from '../support/office-world.js';

/** What was told, in short, without the commits. */
let told: string[];
/** Kinds of the changes of each commit. */
let commits: string[][];
let world: OfficeWorld;

const recorder: Meter = {
  onTerm: (_session, state) => told.push(`term with ${state.jobs.size} jobs`),
  onCommit: (changes, tookMs) => {
    expect(tookMs).toBeGreaterThanOrEqual(0);
    commits.push(changes.map(({ type }) => type));
  },
  onCommitFailed: () => told.push('commit failed'),
  onStarted: ({ attempt }) => told.push(`job started, attempt ${attempt}`),
  onEnded: ({ code }, kind) => told.push(`ended with ${code} by ${kind}`),
  onRetry: () => told.push('retry'),
};

beforeEach(() => {
  told = [];
  commits = [];
  world = new OfficeWorld();
  world.meter = recorder;
});

async function start(fields: Record<string, unknown> = {}) {
  const office = officeOf(await world.primary('p1'));
  const worker = await world.worker('w1', 'p1');
  await worker.work();
  const event = await office.createEvent(newEvent({ ...onDemand, ...fields }), admin);
  const [job = ''] = (await office.launch({ event, overrides: {}, now: 5 })).ids;
  await world.settle();
  return { office, worker, job };
}

describe('what a primary does is told to its meter', () => {
  test('term, commits, start and end of a job', async () => {
    const { worker, job } = await start();
    await worker.settle(job);
    expect(told).toEqual(['term with 0 jobs', 'job started, attempt 1', 'ended with 0 by exit']);
    expect(commits.filter((types) => types.includes('finish')).length).toBe(1);
    expect(commits.filter((types) => types[0] === 'job').length).toBe(1);
  });

  test('each attempt has its start, and a retry is no end', async () => {
    const { worker, job } = await start({ retries: 1 });
    await worker.settle(job, { code: 3, description: 'Broke' });
    await world.pass(1_000, worker);
    await worker.settle(job, { code: 3, description: 'Broke' });
    expect(told.slice(1)).toEqual([
      'job started, attempt 1',
      'retry',
      'job started, attempt 2',
      'ended with 3 by exit',
    ]);
  });

  test('a start that is reported again is told once, and a lost job by its kind', async () => {
    const { worker, job } = await start();
    worker.report({ job, attempt: 1, pid: 4711 });
    await world.settle();
    await worker.die();
    await world.pass(130_000);
    expect(told.slice(1)).toEqual(['job started, attempt 1', 'ended with 1 by lost']);
  });

  test('a write that failed is told, and the next term with what is stored', async () => {
    const { office, worker } = await start();
    world.stores.get('p1')?.failNextCommit(new Error('no answer'), 'before');
    await expect(office.setEnabled(0, admin)).rejects.toThrow();
    await world.pass(5_000, worker);
    expect(told.slice(2)).toEqual(['commit failed', 'term with 1 jobs']);
  });
});

describe('how jobs end is in the log', () => {
  const lines = (text: string) =>
    world.log.lines.filter(({ message }) => message === text).map(({ level, fields }) => ({ level, fields }));

  test('a failure with job, event and worker, a success for debugging only', async () => {
    const { worker, job } = await start();
    await worker.settle(job, { code: 7, description: 'Cannot reach postgres://joe:secret@db/x' });
    expect(lines('A job has failed')).toEqual([
      {
        level: 'info',
        fields: {
          job,
          event: expect.stringMatching(/^e/),
          worker: 'w1',
          hostname: 'w1',
          attempt: 1,
          code: 7,
          ending: 'exit',
          elapsedSec: 1,
          description: 'Cannot reach postgres://joe:[redacted]@db/x',
        },
      },
    ]);
    world = new OfficeWorld();
    const other = await start();
    await other.worker.settle(other.job);
    expect(lines('A job has ended')).toMatchObject([{ level: 'debug', fields: { job: other.job, code: 0 } }]);
    expect(lines('A job has failed')).toEqual([]);
  });
});
