import { describe, expect, test } from '@jest/globals';
import { RateError } from '@carillon/contract';
import { Admission, BucketTable, takeToken, type Bucket, type BucketRule } from '@carillon/core';
import fc from 'fast-check';

const rule: BucketRule = { perSec: 2, burst: 3 };

/** Retry-After of a refusal; 0 when nothing was refused. */
function waitOf(action: () => void): number {
  try {
    action();
    return 0;
  } catch (error) {
    if (error instanceof RateError) return error.retryAfterSec;
    throw error;
  }
}

describe('a token bucket', () => {
  test.each<[string, number[], number[]]>([
    ['gives its burst at once, then one each half second', [0, 0, 0, 0, 250, 500], [0, 0, 0, 500, 250, 0]],
    [
      'fills up again, and no further than its burst',
      [0, 0, 0, 60_000, 60_000, 60_000, 60_000],
      [0, 0, 0, 0, 0, 0, 500],
    ],
    ['a refusal takes nothing', [0, 0, 0, 100, 200, 300, 500], [0, 0, 0, 400, 300, 200, 0]],
    ['a clock that goes back gives nothing away', [1_000, 1_000, 1_000, 0, 1_000], [0, 0, 0, 500, 500]],
  ])('%s', (_name, times, waits) => {
    let bucket: Bucket | undefined;
    const got = times.map((nowMs) => {
      const taken = takeToken(rule, bucket, nowMs);
      bucket = taken.bucket;
      return taken.waitMs;
    });
    expect(got).toEqual(waits);
  });

  test('never gives out more than its rule, and is open again after the wait it names', () => {
    const aRule = fc.record({
      perSec: fc.double({ min: 0.01, max: 1e4, noNaN: true }),
      burst: fc.integer({ min: 1, max: 100 }),
    });
    fc.assert(
      fc.property(aRule, fc.array(fc.nat(2_000), { maxLength: 200 }), ({ perSec, burst }, pauses) => {
        let [bucket, nowMs, given]: [Bucket | undefined, number, number] = [undefined, 0, 0];
        for (const pause of pauses) {
          nowMs += pause;
          const { bucket: next, waitMs } = takeToken({ perSec, burst }, bucket, nowMs);
          bucket = next;
          if (waitMs === 0) given += 1;
          else expect(takeToken({ perSec, burst }, bucket, nowMs + waitMs).waitMs).toBe(0);
          expect(given).toBeLessThanOrEqual(burst + (nowMs * perSec) / 1000 + 1e-6);
        }
      }),
    );
  });

  test('a table forgets what was unused for longest', () => {
    const table = new BucketTable({ perSec: 1, burst: 1 }, 2);
    expect([table.take('a', 0), table.take('b', 0), table.take('a', 0)]).toEqual([0, 0, 1_000]);
    table.take('c', 0);
    expect(table.size).toBe(2);
    expect([table.wait('a', 0), table.wait('b', 0), table.wait('c', 0)]).toEqual([1_000, 0, 1_000]);
  });
});

describe('admission', () => {
  test('without rules nothing is refused and nothing kept', () => {
    const admission = new Admission({});
    for (let n = 0; n < 1_000; n += 1) {
      admission.request('a', 0);
      admission.accept('a', 'k', 0);
      admission.fail('a', 0);
    }
    expect(admission.size).toBe(0);
  });

  test('requests are limited for each address and each caller of its own', () => {
    const admission = new Admission({ perAddress: rule, perCaller: { perSec: 0.1, burst: 1 } });
    expect([1, 2, 3, 4].map(() => waitOf(() => admission.request('a', 0)))).toEqual([0, 0, 0, 1]);
    expect(waitOf(() => admission.request('b', 0))).toBe(0);
    expect(waitOf(() => admission.accept('a', 'k', 0))).toBe(0);
    expect(waitOf(() => admission.accept('b', 'k', 0))).toBe(10);
    expect(waitOf(() => admission.accept('b', 'other', 0))).toBe(0);
  });

  test('after too many failures right and wrong credentials are refused alike, but not those known there', () => {
    const admission = new Admission({ failures: { perSec: 1, burst: 2 } });
    admission.accept('a', 'known', 0);
    expect([1, 2, 3].map(() => waitOf(() => admission.fail('a', 0)))).toEqual([0, 0, 1]);
    expect(waitOf(() => admission.beforeTry('a', 0))).toBe(1);
    expect(waitOf(() => admission.accept('a', 'guessed', 0))).toBe(1);
    expect(waitOf(() => admission.accept('a', 'known', 0))).toBe(0);
    expect(waitOf(() => admission.accept('b', 'guessed', 0))).toBe(0);
    expect(waitOf(() => admission.accept('a', 'guessed', 1_000))).toBe(0);
  });

  test('memory stays bounded whatever comes', () => {
    const admission = new Admission({ perAddress: rule, perCaller: rule, failures: rule, mostEntries: 50 });
    const action = fc.record({
      kind: fc.constantFrom('request', 'accept', 'fail'),
      address: fc.string(),
      caller: fc.string(),
    });
    fc.assert(
      fc.property(fc.array(action, { minLength: 100, maxLength: 300 }), (actions) => {
        for (const { kind, address, caller } of actions) {
          waitOf(() => {
            if (kind === 'request') admission.request(address, 0);
            else if (kind === 'accept') admission.accept(address, caller, 0);
            else admission.fail(address, 0);
          });
        }
        expect(admission.size).toBeLessThanOrEqual(200);
      }),
    );
  });
});
