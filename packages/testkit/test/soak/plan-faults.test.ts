import { expect, test } from '@jest/globals';
import { type Fault, faultKinds, pauseBefore, planFaults } from '@carillon/testkit';

const take = (seed: number, count: number): Fault[] => {
  const faults: Fault[] = [];
  for (const fault of planFaults(seed)) {
    faults.push(fault);
    if (faults.length === count) break;
  }
  return faults;
};

test('the same seed gives the same faults, another seed others', () => {
  expect(take(7, 50)).toEqual(take(7, 50));
  expect(take(7, 50)).not.toEqual(take(8, 50));
});

test('every kind of fault occurs, on every one of three workers', () => {
  const faults = take(3, 500);
  expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(faultKinds));
  expect(new Set(faults.map(({ worker }) => worker % 3))).toEqual(new Set([0, 1, 2]));
});

test('a fault that comes just before the boundary of a minute is moved to it', () => {
  const fault: Fault = {
    kind: 'leader killed',
    worker: 0,
    gapMs: 2_000,
    lastsMs: 500,
    boundaryOffsetMs: -300,
  };
  const minuteMs = 1_800_000_000_000;
  expect(pauseBefore(fault, minuteMs + 10_000)).toBe(2_000);
  expect(pauseBefore(fault, minuteMs + 55_000)).toBe(4_700);
  expect(pauseBefore({ ...fault, boundaryOffsetMs: 300 }, minuteMs + 55_000)).toBe(5_300);
  // Its place is over.
  expect(pauseBefore(fault, minuteMs + 59_900)).toBe(2_000);
});
