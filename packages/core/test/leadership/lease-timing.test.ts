import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { leaseTiming } from '../../src/index.js';

test('the holder can miss one renewal and stops trusting before the lease ends', () => {
  fc.assert(
    fc.property(fc.integer({ min: 300, max: 600_000 }), (ttlMs) => {
      const timing = leaseTiming(ttlMs);
      expect(timing.trustMs).toBeLessThan(ttlMs);
      expect(2 * timing.renewEveryMs).toBeLessThan(timing.trustMs);
      expect(timing.tryEveryMs + timing.jitterMs).toBeLessThan(timing.renewEveryMs);
    }),
  );
});

test('at the default lease time a free lease is found within a quarter of a second', () => {
  const { tryEveryMs, jitterMs } = leaseTiming(2_500);
  expect(tryEveryMs + jitterMs).toBeLessThanOrEqual(250);
});
