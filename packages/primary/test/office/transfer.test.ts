import { describe, expect, test } from '@jest/globals';
import type { EventRecord } from '@carillon/contract';
import type { TransferLine } from '@carillon/core';
import { finishOf } from '@carillon/testkit';
import type { LeaderOffice } from '../../src/office/leader-office.js';
import type { ImportWish } from '../../src/transfer/import-service.js';
import { admin, newEvent, officeOf, OfficeWorld, onDemand } from '../support/office-world.js';

const wish: ImportWish = {
  parts: 1,
  source: 'test',
  dryRun: false,
  existing: 'refuse',
  paused: false,
  catchUp: true,
  partial: false,
};

const eventLine = (id: string, more: Partial<EventRecord> = {}): TransferLine => ({
  type: 'record',
  table: 'events',
  record: {
    id,
    title: id,
    enabled: 1,
    category: 'general',
    plugin: 'shellplug',
    target: 'allgrp',
    params: {},
    timing: false,
    timezone: 'UTC',
    max_children: 1,
    timeout: 0,
    created: 1,
    modified: 1,
    ...more,
  },
});
const rowLine = (id: string, event: string): TransferLine => ({
  type: 'history',
  row: { ...finishOf(id, { event }).row, epoch: 1_700_000_000 },
});
const jobLine = (id: string): TransferLine => ({
  type: 'job',
  record: { ...finishOf(id).record, time_end: 1_700_000_000 },
});

async function take(office: LeaderOffice, lines: readonly unknown[], wishes: Partial<ImportWish> = {}) {
  const id = office.imports.begin();
  await office.imports.add(id, 0, lines);
  return office.imports.finish(id, { ...wish, ...wishes }, admin);
}

const idsOf = (office: LeaderOffice) => [...office.state.events.newestFirst()].map(({ id }) => id);

async function exported(office: LeaderOffice): Promise<TransferLine[]> {
  const { export: id } = await office.exports.begin(admin);
  return rest(office, id);
}

async function rest(office: LeaderOffice, id: string, from = ''): Promise<TransferLine[]> {
  const lines: TransferLine[] = [];
  let position: string | undefined = from;
  while (position !== undefined) {
    const part: { lines: string[]; next?: string } = await office.exports.read(id, position);
    lines.push(...part.lines.map((line) => JSON.parse(line) as TransferLine));
    position = part.next;
  }
  return lines;
}

describe('an import', () => {
  test('is seen as a whole, scheduled at once, and still there for the next primary', async () => {
    const world = new OfficeWorld();
    const primary = await world.primary('p1');
    const office = officeOf(primary);
    const worker = await world.worker('w1', 'p1');
    await worker.work();
    const lines = [eventLine('a', { timing: {} }), eventLine('b'), rowLine('j1', 'b'), jobLine('j1')];
    const answer = await take(office, lines);
    expect(answer).toMatchObject({
      imported: true,
      tables: { events: { added: 2 } },
      past: { history: 1, job: 1 },
    });
    await world.passMinute(worker);
    expect(worker.claimed).toHaveLength(1);
    await primary.stop();
    const next = officeOf(await world.primary('p2'));
    expect(idsOf(next)).toEqual(['a', 'b']);
    expect((await next.history('b', 0, 10)).rows.map(({ id }) => id)).toEqual(['j1']);
    expect(await next.completedJob('j1')).toMatchObject({ id: 'j1' });
    expect((await next.activity(0, 50)).rows.map(({ action }) => action)).toContain('import');
  });

  test('leaves nothing when a line, or the whole, is refused', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const imports = office.imports;
    const id = imports.begin();
    await imports.add(id, 0, [eventLine('a'), rowLine('j1', 'a')]);
    await expect(imports.add(id, 1, [rowLine('j2', 'a'), { type: 'history', row: {} }])).rejects.toThrow(
      'nothing was imported: line 2 of part 1: Malformed history row',
    );
    await expect(imports.finish(id, wish, admin)).rejects.toThrow('no such import');
    await expect(take(office, [eventLine('a', { plugin: 'gone' }), rowLine('j1', 'a')])).rejects.toThrow(
      'Failed to import, nothing was imported: event a (a): no plugin gone',
    );
    expect(idsOf(office)).toEqual([]);
    expect((await office.history(undefined, 0, 10)).length).toBe(0);
  });

  test('tried dry changes nothing and tells what is in the way', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    await take(office, [eventLine('a')]);
    const lines = [eventLine('a', { title: 'Other' }), eventLine('b'), jobLine('j1')];
    const answer = await take(office, lines, { dryRun: true });
    expect(answer).toMatchObject({
      imported: false,
      obstacles: ['events a (Other): the cluster has another one'],
    });
    expect(idsOf(office)).toEqual(['a']);
    expect(await office.completedJob('j1')).toBeUndefined();
  });

  test('parts are added once each, in order, and records before what is over', async () => {
    const world = new OfficeWorld();
    const { imports, state } = officeOf(await world.primary('p1'));
    const id = imports.begin();
    await imports.add(id, 0, [eventLine('a')]);
    await imports.add(id, 0, [eventLine('a')]);
    await expect(imports.add(id, 2, [])).rejects.toThrow('Part 1 of the import is missing');
    await expect(imports.finish(imports.begin(), wish, admin)).rejects.toThrow(
      'The import has 0 parts, not 1',
    );
    await world.pass(61_000);
    const late = imports.begin();
    await expect(imports.add(late, 0, [jobLine('j1'), eventLine('b')])).rejects.toThrow(
      'Records must come before',
    );
    expect(state.events.size).toBe(0);
  });

  test('only so many are open at once, and those nobody goes on with are forgotten', async () => {
    const world = new OfficeWorld();
    const { imports } = officeOf(await world.primary('p1'));
    const first = imports.begin();
    imports.begin();
    expect(() => imports.begin()).toThrow('Other imports are going on');
    await world.pass(61_000);
    imports.begin();
    await expect(imports.add(first, 0, [])).rejects.toThrow('no such import');
  });

  test('leaves no history of an event that is left out', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const lines = [
      eventLine('a', { plugin: 'gone' }),
      eventLine('b'),
      rowLine('j1', 'a'),
      rowLine('j2', 'b'),
    ];
    await take(office, lines, { partial: true });
    expect(idsOf(office)).toEqual(['b']);
    expect((await office.history('a', 0, 10)).length).toBe(0);
    expect((await office.history('b', 0, 10)).length).toBe(1);
    expect((await office.history(undefined, 0, 10)).length).toBe(2);
  });

  test('that nobody went on with for a quarter of an hour is refused, and costs no term', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const id = office.imports.begin();
    await office.imports.add(id, 0, [eventLine('a'), rowLine('j1', 'a')]);
    await world.pass(15 * 60_000 + 1_000);
    await expect(office.imports.finish(id, wish, admin)).rejects.toThrow('no such import');
    expect(office.session.signal.aborted).toBe(false);
  });

  test('is gone with its primary, and so is what was put aside', async () => {
    const world = new OfficeWorld();
    const primary = await world.primary('p1');
    const id = officeOf(primary).imports.begin();
    await officeOf(primary).imports.add(id, 0, [eventLine('a'), rowLine('j1', 'a')]);
    await primary.stop();
    const next = officeOf(await world.primary('p2'));
    await expect(next.imports.finish(id, wish, admin)).rejects.toThrow('no such import');
    expect([idsOf(next), (await next.history(undefined, 0, 10)).length]).toEqual([[], 0]);
  });

  test.each([
    ['before', []],
    ['after', ['a']],
  ] as const)(
    'whose commit fails %s it was applied is there whole or not at all',
    async (moment, expected) => {
      const world = new OfficeWorld();
      const primary = await world.primary('p1');
      const office = officeOf(primary);
      const id = office.imports.begin();
      await office.imports.add(id, 0, [eventLine('a'), rowLine('j1', 'a'), jobLine('j1')]);
      world.stores.get('p1')?.failNextCommit(new Error('no reply'), moment);
      await expect(office.imports.finish(id, wish, admin)).rejects.toThrow('not confirmed');
      await primary.stop();
      const next = officeOf(await world.primary('p2'));
      const rows = (await next.history(undefined, 0, 10)).rows.map((row) => row.id);
      expect(idsOf(next)).toEqual(expected);
      expect(rows).toEqual(expected.length === 0 ? [] : ['j1']);
      // Repeating it is harmless either way.
      await take(next, [eventLine('a'), rowLine('j1', 'a'), jobLine('j1')]);
      expect(idsOf(next)).toEqual(['a']);
      expect((await next.history('a', 0, 10)).rows.map((row) => row.id)).toEqual(['j1']);
    },
  );
});

describe('an export', () => {
  test('is of one moment: jobs that end, and records that change meanwhile, are not in it', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const worker = await world.worker('w1', 'p1');
    await worker.work();
    const id = await office.createEvent(newEvent({ ...onDemand, max_children: 0 }), admin);
    const jobs = (await office.launch({ event: id, overrides: {}, now: 5 })).ids;
    const [early = ''] = jobs;
    await world.settle();
    await worker.settle(early);
    const [late = ''] = (await office.launch({ event: id, overrides: {}, now: 5 })).ids;
    await world.settle();
    const { export: name, header } = await office.exports.begin(admin);
    expect(header).toMatchObject({ version: 1, tables: { events: 1 }, active_jobs: 1 });
    await worker.settle(late);
    await office.updateEvent(id, { title: 'Changed' }, { abortJobs: false }, admin);
    await office.createEvent(newEvent({ id: 'younger', ...onDemand }), admin);
    const lines = await rest(office, name);
    const events = lines.flatMap((line) =>
      line.type === 'record' && line.table === 'events' ? [line.record] : [],
    );
    expect(events.map((event) => event.title)).not.toContain('Changed');
    expect(events.map((event) => event.id)).toEqual([id]);
    expect(lines.flatMap((line) => (line.type === 'history' ? [line.row.id] : []))).toEqual([early]);
    expect(lines.flatMap((line) => (line.type === 'job' ? [line.record.id] : []))).toEqual([early]);
    expect(await office.completedJob(late)).toBeDefined();
  });

  test('an older row of an event than all others is in it, once', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1', { historyRows: 3 }));
    const own: TransferLine = {
      type: 'event_history',
      row: { ...finishOf('j0', { event: 'b' }).row, epoch: 1_699_999_999 },
    };
    await take(office, [
      eventLine('a'),
      eventLine('b'),
      ...['j3', 'j2', 'j1'].map((job) => rowLine(job, 'a')),
      own,
    ]);
    const lines = await exported(office);
    expect(lines.flatMap((line) => (line.type === 'history' ? [line.row.id] : []))).toEqual([
      'j3',
      'j2',
      'j1',
    ]);
    expect(lines.flatMap((line) => (line.type === 'event_history' ? [line.row.id] : []))).toEqual(['j0']);
  });

  test('comes back the same from an empty cluster', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    const lines = [
      eventLine('a', { catch_up: 1, timing: { minutes: [5] } }),
      eventLine('b'),
      { type: 'cursor', event: 'a', minute: 1_699_990_020 },
      rowLine('j1', 'b'),
      jobLine('j1'),
    ];
    await take(office, lines, { paused: true });
    // Keys have no real digests in this world.
    const taken = (line: TransferLine) => !(line.type === 'record' && line.table === 'api_keys');
    const first = (await exported(office)).filter(taken);
    const other = officeOf(await new OfficeWorld().primary('p1'));
    await take(other, first);
    const plain = (all: TransferLine[]) => all.filter((line) => line.type !== 'activity');
    expect(plain((await exported(other)).filter(taken))).toEqual(plain(first));
  });

  test('that takes longer than copies of lists are kept fails, and is not taken for whole', async () => {
    const world = new OfficeWorld();
    const office = officeOf(await world.primary('p1'));
    await take(office, [eventLine('a'), rowLine('j1', 'a')]);
    const { export: id } = await office.exports.begin(admin);
    for (let quarters = 0; quarters < 4; quarters += 1) {
      expect((await office.exports.read(id, '')).next).toBe('history:0');
      await world.pass(14 * 60_000);
    }
    await expect(office.exports.read(id, 'history:0')).rejects.toThrow('no such export');
  });

  test('that nobody reads any more is forgotten', async () => {
    const world = new OfficeWorld();
    const { exports } = officeOf(await world.primary('p1'));
    const { export: id } = await exports.begin(admin);
    await rest({ exports } as LeaderOffice, id);
    await world.pass(15 * 60_000 + 1_000);
    await expect(exports.read(id, '')).rejects.toThrow('no such export');
  });

  test('names what does not exist', async () => {
    const world = new OfficeWorld();
    const { exports } = officeOf(await world.primary('p1'));
    await expect(exports.read('x1', '')).rejects.toThrow('There is no such export');
    const { export: id } = await exports.begin(admin);
    for (const position of ['memory:-1', 'history:x', 'nowhere:0', 'activity:1.5']) {
      await expect(exports.read(id, position)).rejects.toThrow('Malformed parameter value: position');
    }
    expect((await rest({ exports } as LeaderOffice, id)).length).toBeGreaterThan(5);
    // The one that is over is in nobody's way.
    await exports.begin(admin);
    await exports.begin(admin);
    await expect(exports.begin(admin)).rejects.toThrow('Other exports are going on');
  });
});
