import { completed, createShellEvent, runWhenPossible } from './api.mjs';
import { historyLength, verifyHistory } from './history.mjs';
import { measureRawStarts } from './growth/machine.mjs';
import { quantiles } from './quantiles.mjs';

/**
 * No-op shell jobs end to end: `lanes` requests at a time, then wait until the history holds every job exactly
 * once with code 0.
 */
export async function measureThroughput(api, { jobs, lanes }) {
  // Before and after: other work on the machine slows both in the same way.
  const rawBefore = await measureRawStarts();
  const event = await createShellEvent(api, 'Bench: throughput', '#!/bin/sh\n');
  await completed(api, await runWhenPossible(api, event));
  const before = await historyLength(api);
  const ids = new Set();
  const answer = [];
  const startedMs = performance.now();
  let next = 0;
  const lane = async () => {
    while (next < jobs) {
      next += 1;
      const askedMs = performance.now();
      ids.add((await api.ok('run_event', { id: event })).ids[0]);
      answer.push(performance.now() - askedMs);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const launchedMs = performance.now();
  while ((await historyLength(api)) - before < jobs) await new Promise((resolve) => setTimeout(resolve, 20));
  const endedMs = performance.now();
  await verifyHistory(api, ids, jobs);
  await api.ok('delete_event', { id: event });
  return {
    jobs,
    lanes,
    raw_starts_per_second: Math.round((rawBefore + (await measureRawStarts())) / 2),
    jobs_per_second: Math.round((jobs / (endedMs - startedMs)) * 1e6) / 1000,
    launches_per_second: Math.round((jobs / (launchedMs - startedMs)) * 1e6) / 1000,
    run_event_answer_ms: quantiles(answer),
  };
}
