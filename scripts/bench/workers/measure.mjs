import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createShellEvent, runWhenPossible } from '../api.mjs';
import { historyLength, verifyHistory } from '../history.mjs';
import { until } from '../wait.mjs';

const program = fileURLToPath(new URL('./simulate.mjs', import.meta.url));
const connectLimitMs = 60_000;
const endLimitMs = 300_000;

/**
 * Launches per second of one primary and one Redis from run_event to the history row, over more and more simulated
 * workers, which are all in one process and whose runs end at once: what is measured is the control plane alone.
 */
export async function measureWorkers(cluster, { workers, simulated, lanes }) {
  const rows = [];
  for (const count of workers) rows.push(await measureCount(cluster, count, simulated, lanes));
  return rows;
}

async function measureCount({ api, redisUrl, secret }, count, jobs, lanes) {
  const child = spawn(process.execPath, [program, redisUrl, secret, String(count)], {
    stdio: ['pipe', 'pipe', 2],
  });
  const exited = once(child, 'exit');
  try {
    const signal = AbortSignal.timeout(connectLimitMs);
    await Promise.race([once(child.stdout, 'data', { signal }), exited.then(() => failed())]);
    const event = await createShellEvent(api, 'Bench: simulated', '#!/bin/sh\n');
    const first = await runWhenPossible(api, event);
    await until('the first job', { everyMs: 20, limitMs: endLimitMs }, async () =>
      (await api.ok('get_job_status', { id: first })).job.complete ? true : undefined,
    );
    const before = await historyLength(api);
    const ids = new Set();
    const startedMs = performance.now();
    let next = 0;
    const lane = async () => {
      while (next < jobs) {
        next += 1;
        ids.add((await api.ok('run_event', { id: event })).ids[0]);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    await until(`${jobs} completed jobs`, { everyMs: 20, limitMs: endLimitMs }, async () =>
      (await historyLength(api)) - before >= jobs ? true : undefined,
    );
    const seconds = (performance.now() - startedMs) / 1000;
    await verifyHistory(api, ids, jobs);
    await api.ok('delete_event', { id: event });
    return { workers: count, jobs, jobs_per_second: Math.round(jobs / seconds) };
  } finally {
    child.stdin.end();
    await exited;
  }
}

function failed() {
  throw new Error('The simulated workers ended');
}
