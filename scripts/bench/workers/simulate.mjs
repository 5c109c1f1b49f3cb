// Workers without processes, for measuring the control plane alone: each run ends at once, successfully.
//   node simulate.mjs REDIS_URL SECRET COUNT          prints one line when all are connected, ends with its input
import {
  BullmqJobQueue,
  createRedis,
  keySpace,
  MemoryJobLog,
  MemoryLogArchive,
  MemoryLogger,
  MemoryResultSpool,
  RedisLease,
  RedisRunClaims,
  SystemClock,
  SystemRandom,
  WsWorkerChannel,
} from '../../../packages/adapters/dist/index.js';
import { createWorker } from '../../../packages/worker/dist/index.js';

const [, , url, secret, count] = process.argv;
const clock = new SystemClock();
const random = new SystemRandom();
const log = new MemoryLogger();
const keys = keySpace('carillon');
const commands = createRedis({ url, log }, 'commands');
const consumers = createRedis({ url, log }, 'blocking');
const subscriber = createRedis({ url, log }, 'subscribe');
const queue = new BullmqJobQueue({ commands, consumers, prefix: keys.root, clock, log });

async function* nothing() {}
let pids = 1_000_000;
const launcher = {
  launch: async (spec) => {
    pids += 1;
    spec.stdin(pids);
    const exited = Promise.resolve({ code: 0, signal: null });
    return {
      pid: pids,
      stdout: nothing(),
      stderr: nothing(),
      exited,
      stopReading() {},
      signalGroup: () => false,
    };
  },
  resolveUser: async () => undefined,
  resolveGroup: async () => undefined,
  killStrays: async () => 0,
  findStrays: async () => [],
};
const detached = { list: async () => [], remove: async () => undefined };
const sampler = { sample: async () => new Map() };

const workers = Array.from({ length: Number(count) }, (_, n) =>
  createWorker(
    {
      clock,
      random,
      logger: log,
      launcher,
      detached,
      sampler,
      logs: new MemoryJobLog(),
      archive: new MemoryLogArchive(clock),
      spool: new MemoryResultSpool(),
      sanitizer: { clean: async (html) => html },
      tickets: queue,
      results: queue,
      claims: new RedisRunClaims({ redis: commands, keys }),
      lease: new RedisLease({ redis: commands, subscriber, keys, log }),
      channel: new WsWorkerChannel({ secret, clock, random, log }),
    },
    {
      node: {
        id: `sim${n}`,
        hostname: `sim${n}`,
        groups: [],
        master: 0,
        slots: 0,
        ip: '127.0.0.1',
        version: '0',
      },
      process: { pid: process.pid, uid: 0 },
      environment: {},
      hiddenVariables: [],
      workDirectory: '/',
      builtins: new Map(),
      killTimeoutMs: 1_000,
      sampleIntervalMs: 1_000,
      limits: {
        memoryBytes: 0,
        memorySustainSec: 0,
        cpuPercent: 0,
        cpuSustainSec: 0,
        cpuGraceSec: 0,
        logBytes: 0,
      },
      expireDays: 1,
      zone: 'system',
      reportGraceMs: 1_000,
    },
  ),
);
await Promise.all(workers.map((worker) => worker.start()));
while (!workers.every((worker) => worker.isConnected))
  await new Promise((resolve) => setTimeout(resolve, 50));
process.stdout.write('connected\n');
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
