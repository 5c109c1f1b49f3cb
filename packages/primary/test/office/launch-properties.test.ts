import { expect, test } from '@jest/globals';
import type { JobOutcome } from '@carillon/contract';
import fc from 'fast-check';
import type { Primary } from '../../src/index.js';
import {
  admin,
  newEvent,
  officeOf,
  OfficeWorld,
  onDemand,
  type TestWorker,
} from '../support/office-world.js';

/** Random histories of a small cluster: slow, but they meet what nobody thought of. */

const numRuns = 40;
const limit: JobOutcome = { code: 1, description: 'x', abort_reason: 'x', abort: 'memory' };

/** Two primary-eligible nodes, one of them leading, and a worker that follows. */
class Pair {
  readonly world = new OfficeWorld();
  worker!: TestWorker;
  #leader!: Primary;
  #names = ['p1', 'p2'];

  async start(): Promise<void> {
    this.#leader = await this.world.primary('p1');
    this.worker = await this.world.worker('w1', 'p1');
    await this.worker.work();
  }

  get office() {
    return officeOf(this.#leader);
  }

  /** The leader stops, another node takes over, the worker finds it. */
  async failOver(): Promise<void> {
    await this.#leader.stop();
    this.#names.push(`p${this.#names.length + 1}`);
    const next = this.#names.at(-1) ?? '';
    this.#leader = await this.world.primary(next);
    await this.world.clock.advanceSettling(100);
    await this.worker.connect(next);
    await this.world.settle();
  }

  stop(): Promise<void> {
    return this.#leader.stop();
  }
}

type Step = 'minute' | 'end' | 'limit' | 'failover' | 'switch';
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant<Step>('minute') },
    { weight: 4, arbitrary: fc.constant<Step>('end') },
    { weight: 1, arbitrary: fc.constant<Step>('limit') },
    { weight: 1, arbitrary: fc.constant<Step>('failover') },
    { weight: 1, arbitrary: fc.constant<Step>('switch') },
  ),
  { minLength: 5, maxLength: 30 },
);

test('catch-up: no minute twice, none lost, order kept; a minute over its limit once more', async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.integer({ min: 1, max: 3 }),
      fc.boolean(),
      async (history, maxChildren, isQueued) => {
        const pair = new Pair();
        await pair.start();
        const { world, worker } = pair;
        const queue = isQueued ? { queue: 1, queue_max: 2 } : {};
        await pair.office.createEvent(
          newEvent({ timing: {}, catch_up: 1, max_children: maxChildren, ...queue } as never),
          admin,
        );
        const from = Math.floor(world.clock.nowMs() / 60_000) * 60;
        const launched: { minute: number; isRedo: boolean }[] = [];
        const redoing = new Map<number, number>();
        const seen = new Set<string>();
        const look = () => {
          expect(worker.held.size).toBeLessThanOrEqual(maxChildren);
          for (const [id, { job }] of worker.held) {
            if (seen.has(id)) continue;
            seen.add(id);
            const left = redoing.get(job.now) ?? 0;
            if (left > 0) redoing.set(job.now, left - 1);
            launched.push({ minute: job.now, isRedo: left > 0 });
          }
        };
        const end = async (outcome?: JobOutcome) => {
          const [first] = worker.held;
          if (first === undefined) return;
          const minute = first[1].job.now;
          if (outcome !== undefined) redoing.set(minute, (redoing.get(minute) ?? 0) + 1);
          await worker.settle(first[0], outcome);
          await world.settle();
          look();
        };
        for (const step of history) {
          if (step === 'minute') await world.passMinute(worker);
          else if (step === 'end') await end();
          else if (step === 'limit') await end(limit);
          else if (step === 'failover') await pair.failOver();
          else await pair.office.setEnabled(pair.office.state.enabled ? 0 : 1, admin);
          await world.settle();
          look();
        }
        await pair.office.setEnabled(1, admin);
        for (let quiet = 0, minutes = 0; quiet < 3; minutes += 1) {
          // A minute that is made up for ever would never let it come to rest.
          expect(minutes).toBeLessThan(100);
          await world.passMinute(worker);
          look();
          quiet = worker.held.size > 1 || redoing.size > 0 ? 0 : quiet + 1;
          for (let most = 100; worker.held.size > 0 && most > 0; most -= 1) await end();
          for (const [minute, left] of redoing) if (left === 0) redoing.delete(minute);
        }
        const last = Math.floor(world.clock.nowMs() / 60_000) * 60;
        const regular = launched.filter((launch) => !launch.isRedo).map((launch) => launch.minute);
        const due = Array.from({ length: (last - from) / 60 }, (_, index) => from + 60 * (index + 1));
        expect(regular).toEqual(due);
        await pair.stop();
      },
    ),
    { numRuns },
  );
}, 120_000);

test('queueing: never above a limit, first in first out, nothing left behind', async () => {
  const script = fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant('run' as const), event: fc.nat(2) }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('end' as const), pick: fc.nat(9) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const), pick: fc.nat(9) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('failover' as const) }) },
    ),
    { minLength: 5, maxLength: 40 },
  );
  const limits = fc.record({
    event: fc.integer({ min: 0, max: 2 }),
    category: fc.integer({ min: 0, max: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(script, limits, async (actions, { event: eventMax, category: categoryMax }) => {
      const pair = new Pair();
      await pair.start();
      const { world, worker } = pair;
      const general = pair.office.state.categories.get('general');
      if (general === undefined) throw new Error('no category');
      const record = { ...general, max_children: categoryMax };
      const put = { type: 'put' as const, table: 'categories' as const, seq: 1, record };
      await world.stores.get('p1')?.commit(pair.office.session, [put]);
      pair.office.state.applyChange(put);
      const fields = { ...onDemand, max_children: eventMax, queue: 1 as const };
      const events: string[] = [];
      for (const title of ['a', 'b', 'c']) {
        events.push(await pair.office.createEvent(newEvent({ ...fields, title }), admin));
      }
      const accepted: string[] = [];
      const started: string[] = [];
      const aborted = new Set<string>();
      const look = () => {
        for (const id of worker.held.keys()) if (!started.includes(id)) started.push(id);
        const held = [...worker.held.values()];
        if (categoryMax > 0) expect(held.length).toBeLessThanOrEqual(categoryMax);
        if (eventMax === 0) return;
        for (const event of events) {
          expect(held.filter(({ job }) => job.event === event).length).toBeLessThanOrEqual(eventMax);
        }
      };
      for (const action of actions) {
        if (action.do === 'run') {
          const event = events[action.event] ?? '';
          accepted.push(...(await pair.office.launch({ event, overrides: {}, now: 5 })).ids);
        } else if (action.do === 'end') {
          const ids = [...worker.held.keys()];
          if (ids.length > 0) await worker.settle(ids[action.pick % ids.length] ?? '');
        } else if (action.do === 'abort') {
          const waiting = [...pair.office.activeJobs()].filter((job) => job.state === 'queued');
          const job = waiting[action.pick % Math.max(1, waiting.length)];
          if (job !== undefined) {
            await pair.office.abortJob(job.id, admin);
            aborted.add(job.id);
          }
        } else await pair.failOver();
        await world.settle();
        look();
      }
      for (let most = 200; worker.held.size > 0 && most > 0; most -= 1) {
        await worker.settle([...worker.held.keys()][0] ?? '');
        await world.settle();
        look();
      }
      expect(pair.office.state.jobs.size).toBe(0);
      const history = await pair.office.history(undefined, 0, 1000);
      expect(history.rows.map((row) => row.id).sort()).toEqual([...accepted].sort());
      for (const event of events) {
        const ofEvent = new Set(history.rows.filter((row) => row.event === event).map((row) => row.id));
        const expected = accepted.filter((id) => ofEvent.has(id) && !aborted.has(id));
        expect(started.filter((id) => ofEvent.has(id))).toEqual(expected);
      }
      await pair.stop();
    }),
    { numRuns },
  );
}, 120_000);
