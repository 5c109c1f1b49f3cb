import { describe, expect, test } from '@jest/globals';
import type { RunReport, WorkerMessage } from '@carillon/contract';
import fc from 'fast-check';
import { admin, newEvent, onDemand, runningJob } from '../support/office-world.js';

/*
 * A worker that knows the cluster secret and sends whatever the schema lets through: about jobs of its own, of others and of
 * nobody, with numbers no process can have. It may spoil what is shown of its own jobs, and nothing else.
 */

const anyNumber = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(-1, 0, 1e308, -1e308, 2 ** 53));
const anyInteger = fc.oneof(fc.integer(), fc.constantFrom(-1, 0, 2 ** 53, -(2 ** 53)));
const anyName = fc.oneof(fc.constantFrom('', '__proto__', 'constructor', 'w1', 'p1'), fc.string());

const stat = fc.record({
  min: anyNumber,
  max: anyNumber,
  total: anyNumber,
  count: anyInteger,
  current: anyNumber,
});

function messages(job: string): fc.Arbitrary<WorkerMessage> {
  const jobId = fc.oneof(fc.constant(job), anyName);
  const attempt = fc.oneof(fc.constant(1), anyInteger);
  const report: fc.Arbitrary<RunReport> = fc.record(
    {
      job: jobId,
      attempt,
      pid: anyInteger,
      time_start: anyNumber,
      log_file: fc.string(),
      log_file_size: anyInteger,
      progress: anyNumber,
      cpu: stat,
      mem: stat,
    },
    { requiredKeys: ['job', 'attempt'] },
  );
  const runs = fc.array(report, { maxLength: 4 });
  const id = fc.stringMatching(/^\w{1,8}$/);
  return fc.oneof(
    fc.record({
      type: fc.constant('hello' as const),
      node: fc.record({
        id: fc.oneof(fc.constant('w2'), id).filter((name) => name !== 'w1'),
        boot: fc.string({ maxLength: 64 }),
        hostname: fc.string({ maxLength: 20 }).filter((name) => name.toLowerCase() !== 'w1'),
        ip: fc.string({ maxLength: 20 }),
        groups: fc.array(
          anyName.filter((name) => name.length <= 64),
          { maxLength: 3 },
        ),
        master: fc.constantFrom(0 as const, 1 as const),
        slots: fc.nat(),
        version: fc.string({ maxLength: 20 }),
      }),
      runs,
      draining: fc.boolean(),
    }),
    fc.record({ type: fc.constant('beat' as const), cpu: anyNumber, mem: anyNumber, runs }),
    fc.record({ type: fc.constant('run' as const), run: report }),
    fc.record({ type: fc.constant('settled' as const), job: jobId, attempt }),
    fc.record({
      type: fc.constant('log' as const),
      job: jobId,
      offset: anyInteger,
      text: fc.string(),
      size: anyInteger,
      end: fc.boolean(),
    }),
    fc.record({ type: fc.constant('draining' as const) }),
  );
}

describe('a worker that sends anything the schema allows', () => {
  test('ends no job of another worker, and the next job runs', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(messages('JOB'), { maxLength: 12 }), async (drawn) => {
        const { world, office, worker, job } = await runningJob();
        const handlers = { onMessage: () => undefined, onClose: () => undefined };
        const { signal } = new AbortController();
        const connect = () => world.channel.connect('http://p1', handlers, signal);
        let link = await connect();
        const sent: WorkerMessage[] = JSON.parse(
          JSON.stringify(drawn).replaceAll('"JOB"', JSON.stringify(job)),
        );
        for (const message of sent) {
          // A hello opens a link; further ones, and anything before the first, are sent all the same.
          if (message.type === 'hello') link = await connect();
          link.send(message);
          await world.settle();
        }
        await world.pass(4_000, worker);

        expect(world.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
        expect(JSON.stringify([...office.activeJobs()]).length).toBeLessThan(20_000);
        await worker.settle(job);
        expect(await office.completedJob(job)).toMatchObject({ code: 0, hostname: 'w1' });
        const event = await office.createEvent(newEvent({ ...onDemand, target: 'w1' }), admin);
        const [next = ''] = (await office.launch({ event, overrides: {}, now: 6 })).ids;
        await world.settle();
        await worker.settle(next);
        expect((await office.completedJob(next))?.code).toBe(0);
      }),
      { numRuns: 100 },
    );
  }, 60_000);
});
