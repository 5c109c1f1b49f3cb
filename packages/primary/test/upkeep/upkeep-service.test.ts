import type { MemoryStore } from '@carillon/adapters';
import type { Change } from '@carillon/core';
import { finishOf, jobOf } from '@carillon/testkit';
import { describe, expect, test } from '@jest/globals';
import type { OfficeSettings, Primary } from '../../src/index.js';
import { admin, newEvent, officeOf, OfficeWorld, onDemand } from '../support/office-world.js';

const daySec = 86_400;
/** Long enough for a round of upkeep after taking office. */
const firstRoundMs = 8_000;
const hourMs = 3_600_000;

interface Ended {
  id: string;
  ageDays: number;
  ownDays?: number;
  event?: string;
}

/** A cluster whose history the test makes up. */
class HistoryWorld extends OfficeWorld {
  /** Days by which what is written is kept. */
  days = 180;

  /** A primary with the settings, after its first round. */
  async upkept(name: string, settings: Partial<OfficeSettings> = {}): Promise<Primary> {
    const primary = await this.primary(name, { expireDays: this.days, ...settings });
    await this.clock.advanceSettling(firstRoundMs);
    return primary;
  }

  storeOf(name: string): MemoryStore {
    const store = this.stores.get(name);
    if (store === undefined) throw new Error(`There is no node ${name}`);
    return store;
  }

  /** Adds completed jobs, oldest first, each with record, rows and log. */
  async add(primary: Primary, jobs: readonly Ended[]): Promise<void> {
    const changes: Change[] = [];
    for (const { id, ageDays, ownDays, event = 'e1' } of jobs) {
      const { record, row, ...rest } = finishOf(id, { event, rowMax: 100_000 });
      const endSec = Math.floor(this.clock.nowMs() / 1000) - ageDays * daySec;
      const own = ownDays === undefined ? {} : { log_expire_days: ownDays };
      const expireSec = ((ownDays ?? this.days) - ageDays) * daySec;
      changes.push({ type: 'job', job: jobOf(id) });
      changes.push({
        ...rest,
        record: { ...record, ...own, now: endSec, time_end: endSec },
        row: { ...row, ...own, epoch: endSec },
        expireSec,
      });
      await this.archive.put(id, chunk(), expireSec);
    }
    const { session } = officeOf(primary);
    await this.storeOf(primary.nodeId).commit(session, changes);
  }

  /** Ids of those whose rows (of all events, of `e1`), record and log are there. */
  async kept(
    ids: readonly string[],
    event = 'e1',
  ): Promise<Record<'all' | 'event' | 'records' | 'logs', string[]>> {
    const store = [...this.stores.values()][0];
    if (store === undefined) throw new Error('There is no node');
    const rowsOf = async (list: string | undefined) =>
      (await store.readHistory(list, 0, 100_000)).rows.map((row) => row.id).reverse();
    const records: string[] = [];
    const logs: string[] = [];
    for (const id of ids) {
      if ((await store.readJob(id)) !== undefined) records.push(id);
      if ((await this.archive.get(id)) !== undefined) logs.push(id);
    }
    return { all: await rowsOf(undefined), event: await rowsOf(event), records, logs };
  }
}

async function* chunk(): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from('log'));
}

const everywhere = (...ids: string[]) => ({ all: ids, event: ids, records: ids, logs: ids });

describe('history lists', () => {
  test('are cut when the setting was lowered: that of all events and that of each', async () => {
    const world = new HistoryWorld();
    const first = await world.upkept('p1');
    const event = await officeOf(first).createEvent(newEvent(onDemand), admin);
    await world.add(
      first,
      Array.from({ length: 50 }, (_, index) => ({
        id: `j${index}`,
        ageDays: 0,
        event: index % 2 === 0 ? event : 'e1',
      })),
    );
    await first.stop();
    const second = await world.upkept('p2', { historyRows: 10 });
    const kept = await world.kept([], event);
    expect(kept.all).toEqual(Array.from({ length: 10 }, (_, index) => `j${40 + index}`));
    expect(kept.event).toEqual(Array.from({ length: 10 }, (_, index) => `j${30 + 2 * index}`));
    await second.stop();
  });

  test('are gone with their event', async () => {
    const world = new HistoryWorld();
    const primary = await world.upkept('p1');
    const event = await officeOf(primary).createEvent(newEvent(onDemand), admin);
    await world.add(primary, [{ id: 'j1', ageDays: 0, event }]);
    await officeOf(primary).deleteEvent(event, admin);
    expect(await world.kept(['j1'], event)).toMatchObject({ all: ['j1'], event: [], records: ['j1'] });
    await primary.stop();
  });

  test('lose what has come to its age within an hour, without a new primary', async () => {
    const world = new HistoryWorld();
    const primary = await world.upkept('p1');
    await officeOf(primary).createEvent(newEvent(onDemand), admin);
    // One after the other, half an hour apart.
    const jobs = Array.from({ length: 30 }, (_, index) => ({ id: `j${index}`, ageDays: 180 - index / 48 }));
    await world.add(
      primary,
      jobs.map((job) => ({ ...job, ageDays: job.ageDays - 1 / 96 })),
    );
    await world.clock.advanceSettling(hourMs);
    const { all } = await world.kept([]);
    expect(all[0]).toBe('j2');
    await world.clock.advanceSettling(hourMs);
    expect((await world.kept([])).all[0]).toBe('j4');
    await primary.stop();
  }, 20_000);

  test('a walk through all rows finds those with few days of their own amid others', async () => {
    const world = new HistoryWorld();
    const first = await world.upkept('p1');
    await world.add(first, [
      { id: 'j1', ageDays: 9 },
      { id: 'j2', ageDays: 9, ownDays: 2 },
      { id: 'j3', ageDays: 9 },
      { id: 'j4', ageDays: 1, ownDays: 2 },
    ]);
    await first.stop();
    const second = await world.upkept('p2');
    expect((await world.kept([])).all).toEqual(['j1', 'j3', 'j4']);
    await second.stop();
  });
});

describe('job_data_expire_days', () => {
  const jobs: Ended[] = [
    { id: 'old', ageDays: 20 },
    { id: 'oldOwn', ageDays: 20, ownDays: 30 },
    { id: 'young', ageDays: 5 },
    { id: 'youngOwn', ageDays: 5, ownDays: 8 },
  ];
  const ids = jobs.map((job) => job.id);

  async function withSetting(before: number, after: number) {
    const world = new HistoryWorld();
    world.days = before;
    const first = await world.upkept('p1');
    const event = await officeOf(first).createEvent(newEvent(onDemand), admin);
    await world.add(
      first,
      jobs.map((job) => ({ ...job, event })),
    );
    await first.stop();
    world.days = after;
    const primary = await world.upkept('p2');
    return { world, primary, kept: () => world.kept(ids, event) };
  }

  test('lowered: what is older is gone at once, with row, record and log; days of their own win', async () => {
    const { world, primary, kept } = await withSetting(180, 10);
    expect(await kept()).toEqual(everywhere('oldOwn', 'young', 'youngOwn'));
    await primary.stop();
    world.clock.advance(4.5 * daySec * 1000);
    expect(await kept()).toMatchObject({
      records: ['oldOwn', 'young'],
      logs: ['oldOwn', 'young'],
    });
    world.clock.advance(daySec * 1000);
    expect(await kept()).toMatchObject({ records: ['oldOwn'], logs: ['oldOwn'] });
  });

  test('raised: what is still there lives longer; days of their own are as they were', async () => {
    const { world, primary, kept } = await withSetting(22, 100);
    expect(await kept()).toEqual(everywhere('old', 'oldOwn', 'young', 'youngOwn'));
    await primary.stop();
    world.clock.advance(79 * daySec * 1000);
    expect(await kept()).toMatchObject({ records: ['old', 'young'], logs: ['old', 'young'] });
    world.clock.advance(2 * daySec * 1000);
    expect(await kept()).toMatchObject({ records: ['young'], logs: ['young'] });
  });

  test('is carried out once, not by every primary', async () => {
    const { world, primary } = await withSetting(180, 10);
    await primary.stop();
    const moved: string[] = [];
    const keepUntil = world.archive.keepUntil.bind(world.archive);
    world.archive.keepUntil = (job, untilSec) => {
      moved.push(job);
      return keepUntil(job, untilSec);
    };
    await (await world.upkept('p3')).stop();
    expect(moved).toEqual([]);
    world.days = 11;
    await (await world.upkept('p4')).stop();
    expect(moved).toEqual(['young']);
  });
});

describe('trouble', () => {
  test('an archive out of reach keeps nothing else from being done, and is asked again', async () => {
    const world = new HistoryWorld();
    const first = await world.upkept('p1');
    await world.add(first, [
      { id: 'old', ageDays: 20 },
      { id: 'young', ageDays: 5 },
    ]);
    await first.stop();
    world.days = 10;
    const { keepUntil, sweep } = world.archive;
    const away = () => Promise.reject(new Error('the archive is away'));
    Object.assign(world.archive, { keepUntil: away, sweep: away });
    const second = await world.upkept('p2');
    expect(await world.kept(['old', 'young'])).toMatchObject({ all: ['young'], records: ['old', 'young'] });
    const complaints = world.log.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(complaints).toEqual([
      'Records and logs could not be kept by the new setting',
      'Expired logs could not be removed',
    ]);
    Object.assign(world.archive, { keepUntil, sweep });
    await world.clock.advanceSettling(hourMs);
    expect(await world.kept(['old', 'young'])).toMatchObject({ records: ['young'], logs: ['young'] });
    await second.stop();
  });

  test('an office that is closed in the middle waits for no step, and begins none', async () => {
    const world = new HistoryWorld();
    const first = await world.upkept('p1');
    await world.add(first, [{ id: 'old', ageDays: 20 }]);
    await first.stop();
    world.days = 10;
    const asked: string[] = [];
    let answer: () => void = () => undefined;
    world.archive.keepUntil = (job) => {
      asked.push(job);
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    world.archive.sweep = () => {
      asked.push('sweep');
      return Promise.resolve(0);
    };
    const second = await world.upkept('p2');
    expect(asked).toEqual(['old']);
    await second.stop();
    expect(world.clock.pending).toBe(0);
    answer();
    await world.settle();
    expect(asked).toEqual(['old']);
    expect(await world.storeOf('p1').upkeep.readExpireDays()).toBe(180);
    expect(world.log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  test('many rows are gone through in bounded steps, with other work in between', async () => {
    const world = new HistoryWorld();
    const first = await world.upkept('p1');
    const count = 5_000;
    await world.add(
      first,
      Array.from({ length: count }, (_, index) => ({
        id: `j${index}`,
        ageDays: 20 - index / count,
        ...(index % 3 === 0 ? { ownDays: 1 } : {}),
      })),
    );
    await first.stop();
    const second = await world.primary('p2', { historyRows: 100_000 });
    const { upkeep } = world.storeOf('p2');
    const steps: { atMs: number; size: number }[] = [];
    const note = (size: number) => steps.push({ atMs: world.clock.monotonicMs(), size });
    const { readOldest, removeRows } = upkeep;
    upkeep.readOldest = (event, place) => {
      note(place.limit);
      return readOldest.call(upkeep, event, place);
    };
    upkeep.removeRows = (session, event, place, rows) => {
      note(rows.length);
      return removeRows.call(upkeep, session, event, place, rows);
    };
    await world.clock.advanceSettling(firstRoundMs);
    const left = (await world.kept([])).all;
    expect(left.length).toBe(count - Math.ceil(count / 3));
    expect(left.slice(0, 3)).toEqual(['j1', 'j2', 'j4']);
    expect(steps.length).toBeGreaterThan(2 * (count / 200));
    expect(Math.max(...steps.map((step) => step.size))).toBe(200);
    const moments = new Map<number, number>();
    for (const { atMs } of steps) moments.set(atMs, (moments.get(atMs) ?? 0) + 1);
    expect(Math.max(...moments.values())).toBe(2);
    await second.stop();
  }, 20_000);
});
