import { FakeClock } from '@carillon/testkit';
import { describe, expect, jest, test } from '@jest/globals';
import { SystemClock } from '../../src/clock/index.js';

describe('SystemClock', () => {
  test('calls later, in the order of the delays, and never synchronously', async () => {
    const clock = new SystemClock();
    const calls: number[] = [];
    const done = new Promise<void>((resolve) => {
      clock.after(12, () => {
        calls.push(12);
        resolve();
      });
    });
    clock.after(4, () => calls.push(4));
    clock.after(0, () => calls.push(0));
    clock.after(-5, () => calls.push(-5));
    const cancel = clock.after(2, () => calls.push(2));
    cancel();
    cancel();
    expect(calls).toEqual([]);
    await done;
    expect(calls).toEqual([0, -5, 4, 12]);
  });

  test('is never early by more than a millisecond', async () => {
    const clock = new SystemClock();
    for (const delayMs of [1, 3, 7.5]) {
      const startMs = clock.monotonicMs();
      await new Promise<void>((resolve) => clock.after(delayMs, resolve));
      expect(clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(delayMs - 1);
    }
  });

  test('calls every period until cancelled, also from within the call', async () => {
    const clock = new SystemClock();
    let calls = 0;
    await new Promise<void>((resolve) => {
      const cancel = clock.every(2, () => {
        calls += 1;
        if (calls === 3) {
          cancel();
          resolve();
        }
      });
    });
    await new Promise<void>((resolve) => clock.after(8, resolve));
    expect(calls).toBe(3);
  });

  test('keeps delays longer than a Node timer can', () => {
    jest.useFakeTimers();
    try {
      const clock = new SystemClock();
      let called = 0;
      clock.after(2 ** 32, () => {
        called += 1;
      });
      jest.advanceTimersByTime(2 ** 32 - 10);
      expect(called).toBe(0);
      jest.advanceTimersByTime(20);
      expect(called).toBe(1);
    } finally {
      jest.useRealTimers();
    }
  });

  test('skips periods that passed while the process stood still', () => {
    jest.useFakeTimers();
    try {
      const clock = new SystemClock();
      let calls = 0;
      const cancel = clock.every(100, () => {
        calls += 1;
      });
      const standStill = jest.spyOn(performance, 'now');
      const laterMs = performance.now() + 10_050;
      standStill.mockReturnValue(laterMs);
      jest.advanceTimersByTime(100);
      expect(calls).toBe(1);
      standStill.mockRestore();
      cancel();
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('FakeClock', () => {
  test('runs due timers in order, with the time they were due at', () => {
    const clock = new FakeClock(1_000);
    const calls: string[] = [];
    const note = (name: string) => () => calls.push(`${name}@${clock.monotonicMs()}`);
    clock.after(30, note('c'));
    clock.after(10, note('a'));
    clock.after(10, note('b'));
    const cancel = clock.every(20, note('every'));
    clock.after(10, () => clock.after(5, note('nested')));
    clock.advance(45);
    expect(calls).toEqual(['a@10', 'b@10', 'nested@15', 'every@20', 'c@30', 'every@40']);
    expect(clock.nowMs()).toBe(1_045);
    expect(clock.pending).toBe(1);
    cancel();
    expect(clock.pending).toBe(0);
  });

  test('jumps of the wall clock leave timers alone', () => {
    const clock = new FakeClock(5_000);
    let calls = 0;
    clock.after(10, () => {
      calls += 1;
    });
    clock.jump(-3_600_000);
    expect(clock.nowMs()).toBe(5_000 - 3_600_000);
    expect(calls).toBe(0);
    clock.advance(10);
    expect(calls).toBe(1);
  });

  test('advanceSettling lets promises run between timers', async () => {
    const clock = new FakeClock();
    const calls: string[] = [];
    clock.after(1, () => {
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => {
          calls.push('chain');
          clock.after(1, () => calls.push('after the chain'));
        });
    });
    clock.after(3, () => calls.push('last'));
    await clock.advanceSettling(3);
    expect(calls).toEqual(['chain', 'after the chain', 'last']);
  });
});
