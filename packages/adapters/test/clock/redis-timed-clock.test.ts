import { FakeClock } from '@carillon/testkit';
import { beforeEach, expect, test } from '@jest/globals';
import { MemoryLogger, RedisTimedClock } from '../../src/index.js';

const hourMs = 3_600_000;

let machine: FakeClock;
let log: MemoryLogger;
let clock: RedisTimedClock;
/** How far Redis is ahead of the machine, how long it takes to answer, and whether it does. */
let redis: { aheadMs: number; tookMs: number; isAway: boolean };

beforeEach(() => {
  machine = new FakeClock(1_700_000_000_000);
  log = new MemoryLogger();
  redis = { aheadMs: 0, tookMs: 0, isAway: false };
  const time = (): Promise<number[]> => {
    if (redis.isAway) return Promise.reject(new Error('away'));
    machine.advance(redis.tookMs / 2);
    const ms = machine.nowMs() + redis.aheadMs;
    machine.advance(redis.tookMs / 2);
    return Promise.resolve([Math.floor(ms / 1000), (ms % 1000) * 1000]);
  };
  clock = new RedisTimedClock({ redis: { time } as never, clock: machine, log });
});

const messages = (): string[] => log.lines.map(({ level, message }) => `${level} ${message.slice(0, 35)}`);
const differs = 'warn The clock of this node differs from';
const agrees = 'info The clock of this node agrees with ';

for (const [aheadMs, offsetMs] of [
  [hourMs, hourMs],
  [-hourMs, -hourMs],
  [2_001, 2_001],
  [2_000, 0],
  [-1_500, 0],
] as const) {
  test(`Redis is ${aheadMs} ms ahead: wall time is moved by ${offsetMs} ms`, async () => {
    redis.aheadMs = aheadMs;
    await clock.start();
    expect(clock.nowMs() - machine.nowMs()).toBe(offsetMs);
    expect(clock.monotonicMs()).toBe(machine.monotonicMs());
    expect(messages()).toEqual(offsetMs === 0 ? [] : [differs]);
    clock.stop();
    expect(machine.pending).toBe(0);
  });
}

test('a clock that is set is noticed within ten seconds, and small differences between measurements are not', async () => {
  redis.aheadMs = hourMs;
  await clock.start();
  redis.aheadMs = hourMs + 900;
  await machine.advanceSettling(10_000);
  expect(clock.nowMs() - machine.nowMs()).toBe(hourMs);
  redis.aheadMs = hourMs + 2_500;
  await machine.advanceSettling(10_000);
  expect(clock.nowMs() - machine.nowMs()).toBe(hourMs + 2_500);
  redis.aheadMs = 100;
  await machine.advanceSettling(10_000);
  expect(clock.nowMs()).toBe(machine.nowMs());
  expect(messages()).toEqual([differs, differs, agrees]);
});

test('an answer that comes late, or not at all, changes nothing', async () => {
  redis.aheadMs = hourMs;
  await clock.start();
  redis.aheadMs = 0;
  redis.tookMs = 1_002;
  await machine.advanceSettling(10_000);
  redis.isAway = true;
  await machine.advanceSettling(10_000);
  expect(clock.nowMs() - machine.nowMs()).toBe(hourMs);
  redis = { aheadMs: 0, tookMs: 900, isAway: false };
  await machine.advanceSettling(10_000);
  expect(clock.nowMs()).toBe(machine.nowMs());
});
