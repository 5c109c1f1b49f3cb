import { describe, expect, test } from '@jest/globals';
import type { AbortKind, EventRecord, JobFields, JobOutcome } from '@carillon/contract';
import { type EndKind, endRules } from '@carillon/core';
import type { LeaderOffice } from '../../src/office/leader-office.js';
import {
  admin,
  newEvent,
  officeOf,
  OfficeWorld,
  onDemand,
  type TestWorker,
} from '../support/office-world.js';

/** Every way a job can end, with all that must follow from it: docs/jobs.md names these tests. */

type Place = 'running' | 'dispatched' | 'waiting' | 'queued';
type Expected = Partial<JobFields> & { abort_reason?: string };

interface Scene {
  world: OfficeWorld;
  office: LeaderOffice;
  worker: TestWorker;
  event: string;
  /** The job that is going to end. */
  job: string;
  /** Jobs that hold it up while it is queued. */
  before: string[];
}

interface Ending {
  kind: EndKind;
  place?: Place;
  end: (scene: Scene) => Promise<void>;
  record: Expected;
  /** Forbidden by the request that ended it. */
  noRewind?: true;
}

const byAdmin = 'Manually aborted by API Key: kadmin (Admin)';
const aborted = (reason: string): Expected => ({
  code: 1,
  description: `Job Aborted: ${reason}`,
  abort_reason: reason,
  retries: 0,
});

/** Its worker has ended it, for a reason of its own. */
const endedByWorker = (kind: AbortKind, reason: string): Ending => ({
  kind,
  end: ({ worker, job }) => {
    const description = `Job Aborted: ${reason}`;
    return worker.settle(job, { code: 1, description, abort_reason: reason, abort: kind });
  },
  record: aborted(reason),
});

const reports = (outcome: JobOutcome): Ending => ({
  kind: 'exit',
  end: ({ worker, job }) => worker.settle(job, outcome),
  record: { ...outcome },
});

const abortIn = (place: Place): Ending => ({
  kind: 'manual',
  place,
  end: async ({ office, job, worker }) => {
    await office.abortJob(job, admin);
    // What the process says while it is being ended does not count.
    if (place === 'running') await worker.settle(job, { code: 0, description: 'fine' });
  },
  record: aborted(byAdmin),
});

const abortAll = (noRewind: boolean): Ending => ({
  kind: 'bulk',
  end: async ({ office, job, worker }) => {
    await office.abortJobs([job], admin, { noRewind });
    await worker.settle(job);
  },
  record: aborted(byAdmin),
  ...(noRewind ? { noRewind } : {}),
});

/** A queued job gets its chance when what it needs is gone. */
const without = (table: 'plugins' | 'categories', id: string, description: string): Ending => ({
  kind: 'unlaunchable',
  place: 'queued',
  end: async ({ world, office, worker, before }) => {
    office.state.applyChange({ type: 'delete', table, id });
    for (const other of before) await worker.settle(other);
    await world.settle();
  },
  record: { code: 1, description },
});

const endings: Record<string, Ending> = {
  success: reports({ code: 0, description: 'Done' }),
  failure: reports({ code: 7, description: 'Broke' }),
  'abort of a running job': abortIn('running'),
  'abort of a dispatched job': abortIn('dispatched'),
  'abort of a waiting job': abortIn('waiting'),
  'abort of a queued job': abortIn('queued'),
  'abort by criteria': abortAll(false),
  'abort by criteria with no_rewind': abortAll(true),
  'event disabled with abort_jobs': {
    kind: 'disabled',
    end: async ({ office, event, job, worker }) => {
      await office.updateEvent(event, { enabled: 0 }, { abortJobs: true }, admin);
      await worker.settle(job);
    },
    record: aborted("Event 'Subject' has been disabled."),
  },
  'run time': endedByWorker('timeout', 'Exceeded maximum run time (1 hour)'),
  memory: endedByWorker('memory', 'Exceeded memory limit of 1 GB'),
  CPU: endedByWorker('cpu', 'Exceeded CPU limit of 100% for over 10 seconds'),
  'log size': endedByWorker('log', 'Exceeded log file size limit of 1 MB'),
  'worker shutting down': endedByWorker('shutdown', 'Shutting down server'),
  'worker lost': {
    kind: 'lost',
    end: async ({ world, worker }) => {
      await worker.die();
      await world.worker('w1', 'p1', 'another boot');
      await world.settle();
    },
    record: {
      code: 1,
      description: "Aborted Job: Server 'w1' shut down unexpectedly.",
      special_shutdown: true,
    },
  },
  'abort of a job whose worker is lost': {
    kind: 'manual',
    end: async ({ world, office, job, worker }) => {
      await worker.die();
      await office.abortJob(job, admin);
      await world.worker('w1', 'p1', 'another boot');
      await world.settle();
    },
    record: aborted(byAdmin),
  },
  'queue flushed': {
    kind: 'manual',
    place: 'queued',
    end: ({ office, event }) => office.flushQueue(event, admin),
    record: aborted('Event queue was flushed by API Key: kadmin (Admin)'),
  },
  'queue switched off': {
    kind: 'manual',
    place: 'queued',
    end: ({ office, event }) => office.updateEvent(event, { queue: 0 }, { abortJobs: false }, admin),
    record: aborted("Queueing was switched off for event 'Subject'."),
  },
  'plugin of a queued job gone': without(
    'plugins',
    'subject',
    'Failed to launch queued job: Plugin not found: subject',
  ),
  'category of a queued job gone': without(
    'categories',
    'subject',
    'Failed to launch queued job: Category not found: subject',
  ),
};

/** A scheduled job of a catch-up event, in the wanted place. */
async function scene(place: Place, fields: Partial<EventRecord> = {}): Promise<Scene> {
  const world = new OfficeWorld();
  const office = officeOf(await world.primary('p1'));
  const worker = await world.worker('w1', 'p1');
  if (place !== 'dispatched') await worker.work();
  for (const [table, id] of [
    ['plugins', 'shellplug'],
    ['categories', 'general'],
  ] as const) {
    const entry = office.state[table].entry(id);
    if (entry === undefined) throw new Error(`no ${id}`);
    const record = { ...entry.record, id: 'subject' };
    office.state.applyChange({ type: 'put', table, seq: entry.seq + 100, record } as never);
  }
  const chain = await office.createEvent(newEvent({ ...onDemand, title: 'After success' }), admin);
  const chainError = await office.createEvent(newEvent({ ...onDemand, title: 'After failure' }), admin);
  const event = await office.createEvent(
    newEvent({
      title: 'Subject',
      plugin: 'subject',
      category: 'subject',
      catch_up: 1,
      chain,
      chain_error: chainError,
      notify_success: 'good@example.com',
      notify_fail: 'bad@example.com',
      web_hook: 'http://hook.test/own',
      retries: place === 'waiting' ? 1 : 0,
      retry_delay: 3600,
      ...(place === 'queued' ? { max_children: 1, queue: 1 as const } : {}),
      ...fields,
    }),
    admin,
  );
  await world.passMinute(worker);
  const before = office.activeJobsOf(event).map(({ id }) => id);
  if (place === 'queued') await world.passMinute(worker);
  const job = office.activeJobsOf(event).at(-1)?.id ?? '';
  if (place === 'waiting') await worker.settle(job, { code: 5, description: 'first attempt' });
  expect(office.activeJob(job)?.state).toBe(place);
  return { world, office, worker, event, job, before };
}

/** What followed from the end of the job. */
async function consequences({ world, office, event, job }: Scene) {
  await world.settle();
  const record = await office.completedJob(job);
  const started = [...office.activeJobs()].find((other) => other['source_job'] === job);
  const rows = (await office.history(event, 0, 100)).rows.filter((row) => row.id === job);
  const hooks = world.hooks.received
    .map(({ body }): JobFields & { action: string } => JSON.parse(body))
    .filter((body) => body.id === job && body.action === 'job_complete');
  const mails = world.mailer.sent.filter(({ body }) => body.includes(job)).map(({ to }) => to);
  const failures = world.storeBoard
    .activity()
    .filter((entry) => entry.action === 'job_complete' && entry['id'] === job);
  return {
    record,
    rows: rows.length,
    chained: started?.event_title,
    redo: office.state.redos.get(event)?.includes(record?.now ?? 0) ?? false,
    mails,
    hooks: hooks.map(({ code }) => code),
    failures: failures.length,
  };
}

describe('every end, once, with all that follows', () => {
  test('there is an ending of each kind', () => {
    expect([...new Set(Object.values(endings).map(({ kind }) => kind))].sort()).toEqual(
      Object.keys(endRules).sort(),
    );
  });

  test.each(Object.entries(endings))(
    '%s',
    async (_name, { kind, place = 'running', end, record, noRewind }) => {
      const at = await scene(place);
      await end(at);
      const after = await consequences(at);
      const isSuccess = record.code === 0;
      const rule = endRules[kind];
      expect(after.record).toMatchObject({ ...record, complete: 1 });
      if (record.abort_reason === undefined) expect(after.record).not.toHaveProperty('abort_reason');
      expect({ ...after, record: undefined }).toEqual({
        record: undefined,
        rows: 1,
        chained: isSuccess ? 'After success' : rule.chainError ? 'After failure' : undefined,
        redo: !isSuccess && rule.rewind && noRewind === undefined,
        mails: isSuccess ? ['good@example.com'] : rule.failMail ? ['bad@example.com'] : [],
        hooks: [record.code],
        failures: isSuccess ? 0 : 1,
      });
      await at.world.pass(1_000);
      expect((await consequences(at)).rows).toBe(1);
    },
  );
});

describe('with retries left', () => {
  const running = Object.entries(endings).filter(([, { place = 'running' }]) => place === 'running');

  test.each(running)('%s', async (_name, { kind, end, record }) => {
    const at = await scene('running', { retries: 1 });
    await end(at);
    await at.world.settle();
    const isRetried = record.code !== 0 && endRules[kind].retry;
    const next = at.office.activeJob(at.job);
    expect(next).toEqual(isRetried ? expect.objectContaining({ state: 'waiting', retries: 0 }) : undefined);
    const after = await consequences(at);
    // Between two attempts nobody is told anything.
    expect([after.rows, after.mails.length > 0, after.hooks.length]).toEqual(
      isRetried ? [0, false, 0] : [1, record.code === 0 || endRules[kind].failMail, 1],
    );
  });
});

test('a staggered job whose server is lost before its time', async () => {
  const world = new OfficeWorld();
  const office = officeOf(await world.primary('p1'));
  const [first, second] = [await world.worker('w1', 'p1'), await world.worker('w2', 'p1')];
  await first.work();
  const fields = { ...onDemand, multiplex: 1 as const, stagger: 3600 };
  const event = await office.createEvent(newEvent(fields), admin);
  const [, job = ''] = (await office.launch({ event, overrides: {}, now: 5 })).ids;
  expect(office.activeJob(job)).toMatchObject({ state: 'waiting', hostname: 'w2' });
  await second.die();
  await world.pass(125_000, first);
  expect(await office.completedJob(job)).toMatchObject({
    code: 1,
    description: "Aborted Job: Server 'w2' shut down unexpectedly.",
    elapsed: 0,
  });
});
