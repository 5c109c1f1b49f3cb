import type { JobFields } from '@carillon/contract';
import {
  bytesText,
  type DefaultLimits,
  durationText,
  effectiveLimits,
  exceededLimit,
  type ExceededSince,
  noteSample,
  type RunLimits,
} from '@carillon/core';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

const off: RunLimits = {
  timeoutSec: 0,
  memoryBytes: 0,
  memorySustainSec: 0,
  cpuPercent: 0,
  cpuSustainSec: 0,
  cpuGraceSec: 5,
  logBytes: 0,
};
const gigabyte = 1_073_741_824;
const bareJob: JobFields = {
  id: 'j1',
  event: 'e1',
  event_title: 'Event',
  category: 'c1',
  category_title: 'Category',
  plugin: 'p1',
  plugin_title: 'Plugin',
  nice_target: 'box',
  target: 'box',
  params: {},
  command: '/bin/true',
  now: 0,
  hostname: 'box',
};

describe('effectiveLimits', () => {
  const defaults: DefaultLimits = {
    memoryBytes: gigabyte,
    memorySustainSec: 30,
    cpuPercent: 200,
    cpuSustainSec: 20,
    cpuGraceSec: 5,
    logBytes: 5000,
  };
  const none: RunLimits = { timeoutSec: 0, ...defaults };
  test.each<[string, Record<string, unknown>, Partial<RunLimits>]>([
    ['nothing of its own', {}, {}],
    ['zeros', { timeout: 0, memory_limit: 0, cpu_limit: 0, log_max_size: 0 }, {}],
    ['a timeout', { timeout: 3600 }, { timeoutSec: 3600 }],
    ['a memory limit', { memory_limit: 100 }, { memoryBytes: 100, memorySustainSec: 0 }],
    ['one with time', { memory_limit: 100, memory_sustain: 5 }, { memoryBytes: 100, memorySustainSec: 5 }],
    ['time without a limit', { memory_sustain: 5, cpu_sustain: 6 }, {}],
    ['a CPU limit', { cpu_limit: 50, cpu_sustain: 7 }, { cpuPercent: 50, cpuSustainSec: 7 }],
    ['a log limit', { log_max_size: 10 }, { logBytes: 10 }],
    ['texts that are numbers', { timeout: '60' }, { timeoutSec: 60 }],
    ['nonsense', { timeout: 'soon', memory_limit: -1, cpu_limit: null, log_max_size: {} }, {}],
  ])('%s', (_name, own, expected) => {
    expect(effectiveLimits({ ...bareJob, ...own }, defaults)).toEqual({ ...none, ...expected });
  });
});

describe('texts', () => {
  test.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [1023, '1023 bytes'],
    [1024, '1 K'],
    [1536, '1.5 K'],
    [1_048_575, '1023.9 K'],
    [1_048_576, '1 MB'],
    [200_000_000, '190.7 MB'],
    [gigabyte, '1 GB'],
    [2.5 * gigabyte, '2.5 GB'],
    [1024 * gigabyte, '1 TB'],
    [5000 * 1024 * gigabyte, '5000 TB'],
  ])('%d bytes: %s', (bytes, expected) => {
    expect(bytesText(bytes)).toBe(expected);
  });

  test.each([
    [0, '0 seconds'],
    [0.5, '0 seconds'],
    [1, '1 second'],
    [59, '59 seconds'],
    [60, '1 minute'],
    [61, '1 minute, 1 second'],
    [3600, '1 hour'],
    [3601, '1 hour'],
    [5400, '1 hour, 30 minutes'],
    [86_400, '1 day'],
    [90_000, '1 day, 1 hour'],
    [200_000, '2 days, 7 hours'],
  ])('%d seconds: %s', (seconds, expected) => {
    expect(durationText(seconds)).toBe(expected);
  });
});

describe('exceededLimit', () => {
  const all: RunLimits = {
    timeoutSec: 5400,
    memoryBytes: gigabyte,
    memorySustainSec: 60,
    cpuPercent: 150,
    cpuSustainSec: 0,
    cpuGraceSec: 5,
    logBytes: 2_097_152,
  };
  const look = (more: Partial<Parameters<typeof exceededLimit>[0]> = {}) => ({
    nowMs: 100_000,
    startedMs: 100_000,
    since: {},
    logBytes: 0,
    ...more,
  });
  test.each<[string, Parameters<typeof exceededLimit>[0], RunLimits, unknown]>([
    ['nothing', look(), all, undefined],
    [
      'the time, to the millisecond',
      look({ startedMs: 100_000 - 5_400_000 }),
      all,
      { kind: 'timeout', reason: 'Exceeded maximum run time (1 hour, 30 minutes)' },
    ],
    ['a millisecond before', look({ startedMs: 100_001 - 5_400_000 }), all, undefined],
    [
      'memory for long enough',
      look({ since: { memoryMs: 40_000 } }),
      all,
      { kind: 'memory', reason: 'Exceeded memory limit of 1 GB for over 1 minute' },
    ],
    ['memory not for long enough', look({ since: { memoryMs: 40_001 } }), all, undefined],
    [
      'memory at once',
      look({ since: { memoryMs: 100_000 } }),
      { ...all, memorySustainSec: 0 },
      { kind: 'memory', reason: 'Exceeded memory limit of 1 GB' },
    ],
    [
      'CPU at once',
      look({ since: { cpuMs: 100_000 } }),
      all,
      { kind: 'cpu', reason: 'Exceeded CPU limit of 150%' },
    ],
    [
      'CPU for a time',
      look({ since: { cpuMs: 0 } }),
      { ...all, cpuSustainSec: 90 },
      { kind: 'cpu', reason: 'Exceeded CPU limit of 150% for over 1 minute, 30 seconds' },
    ],
    [
      'the log',
      look({ logBytes: 2_097_153 }),
      all,
      { kind: 'log', reason: 'Exceeded log file size limit of 2 MB' },
    ],
    ['a log of exactly the limit', look({ logBytes: 2_097_152 }), all, undefined],
    [
      'everything, when nothing is limited',
      look({ startedMs: -1e12, since: { memoryMs: 0, cpuMs: 0 }, logBytes: 1e15 }),
      off,
      undefined,
    ],
  ])('%s', (_name, input, limits, expected) => {
    expect(exceededLimit(input, limits)).toEqual(expected);
  });

  test('of several at one look the first of time, memory, CPU, log counts', () => {
    const flags = fc.record({
      timeout: fc.boolean(),
      memory: fc.boolean(),
      cpu: fc.boolean(),
      log: fc.boolean(),
    });
    fc.assert(
      fc.property(flags, (over) => {
        const since: ExceededSince = {
          memoryMs: over.memory ? 0 : undefined,
          cpuMs: over.cpu ? 0 : undefined,
        };
        const input = look({
          startedMs: over.timeout ? -5_400_000 : 100_000,
          since,
          logBytes: over.log ? 1e9 : 0,
        });
        const order = ['timeout', 'memory', 'cpu', 'log'] as const;
        expect(exceededLimit(input, all)?.kind).toBe(order.find((kind) => over[kind]));
      }),
    );
  });
});

test('noteSample: since is the start of the present run of samples above the limit', () => {
  const limits = { ...off, memoryBytes: 100, cpuPercent: 50 };
  const samples = fc.array(
    fc.record({
      mem: fc.option(fc.integer({ min: 90, max: 110 }), { nil: undefined }),
      cpu: fc.option(fc.integer({ min: 40, max: 60 }), { nil: undefined }),
    }),
  );
  const expectedSince = (values: (number | undefined)[], limit: number): number | undefined => {
    let start: number | undefined;
    for (const [index, value] of values.entries()) {
      if (value === undefined) continue;
      start = value > limit ? (start ?? index * 1000) : undefined;
    }
    return start;
  };
  fc.assert(
    fc.property(samples, (given) => {
      let since: ExceededSince = {};
      for (const [index, sample] of given.entries()) since = noteSample(since, sample, limits, index * 1000);
      expect(since.memoryMs).toBe(
        expectedSince(
          given.map(({ mem }) => mem),
          100,
        ),
      );
      expect(since.cpuMs).toBe(
        expectedSince(
          given.map(({ cpu }) => cpu),
          52,
        ),
      );
      expect(noteSample(since, { mem: 1e9, cpu: 1e9 }, off, 5)).toEqual({
        memoryMs: undefined,
        cpuMs: undefined,
      });
    }),
  );
});
