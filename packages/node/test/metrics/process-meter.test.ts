import { FakeClock } from '@carillon/testkit';
import { expect, test } from '@jest/globals';
import { exposition } from '../../src/metrics/exposition.js';
import { ProcessMeter } from '../../src/metrics/process-meter.js';
import { parseExposition } from './parse-exposition.js';

test('a blocked event loop is seen as lag; nothing is seen after the stop', () => {
  const due: (() => void)[] = [];
  let monotonicMs = 0;
  const meter = new ProcessMeter({
    nowMs: () => 0,
    monotonicMs: () => monotonicMs,
    every: () => () => undefined,
    after: (_delayMs, callback) => {
      due.push(callback);
      return () => due.splice(0);
    },
  });
  const seen = () =>
    parseExposition(exposition(meter.families())).get('carillon_event_loop_lag_seconds')?.samples;
  const stop = meter.start();
  monotonicMs = 100;
  due.shift()?.();
  monotonicMs = 700;
  due.shift()?.();
  expect(seen()?.get('carillon_event_loop_lag_seconds_count')).toBe(2);
  expect(seen()?.get('carillon_event_loop_lag_seconds_sum')).toBeCloseTo(0.5);
  expect(seen()?.get('carillon_event_loop_lag_seconds_bucket{le="0.001"}')).toBe(1);
  stop();
  expect(due).toEqual([]);
});

test('answers of Redis are timed, failures counted apart', () => {
  const meter = new ProcessMeter(new FakeClock(0));
  meter.onReply(3, false);
  meter.onReply(2000, true);
  const families = parseExposition(exposition(meter.families()));
  expect(
    families.get('carillon_redis_reply_seconds')?.samples.get('carillon_redis_reply_seconds_count'),
  ).toBe(1);
  expect(families.get('carillon_redis_failures_total')?.samples.get('carillon_redis_failures_total')).toBe(1);
});
