import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { completed, createShellEvent, runWhenPossible } from './api.mjs';
import { historyLength, verifyHistory } from './history.mjs';
import { round, watchProcesses } from './process-watch.mjs';
import { quantiles } from './quantiles.mjs';
import { until } from './wait.mjs';

const pollMs = 50;
const launchLimitMs = 60_000;
const endLimitMs = 60_000;

/**
 * Many jobs at one time, which wait without using the processor. The processes are watched for `seconds` from the
 * moment all jobs run; then all end at once, and each must be in the history exactly once with code 0.
 * Moments are seen by polling, so they are late by up to a poll.
 */
export async function measureConcurrent(cluster, options) {
  const gate = path.join(cluster.directory, 'gate');
  execFileSync('mkfifo', [gate]);
  try {
    return await measure(cluster, options, gate);
  } finally {
    // Jobs outlive a worker that dies: none may wait for ever.
    openGate(gate);
    fs.rmSync(gate);
  }
}

async function measure({ api, pids }, { concurrent: jobs, lanes, seconds }, gate) {
  // Whoever has opened the gate for reading reads its end when the writer has gone.
  const event = await createShellEvent(api, 'Bench: concurrent', `#!/bin/sh\nread line <${gate}\nexit 0\n`);
  const warmUp = await createShellEvent(api, 'Bench: first job', '#!/bin/sh\n');
  await completed(api, await runWhenPossible(api, warmUp));
  const before = await historyLength(api);

  const launching = watchProcesses(pids);
  const startedMs = performance.now();
  const ids = await launch(api, event, jobs, lanes);
  const launchedMs = performance.now();
  await until(`${jobs} running jobs`, { everyMs: pollMs, limitMs: launchLimitMs }, async () =>
    (await countRunning(api, ids)) === jobs ? true : undefined,
  ).finally(launching.cancel);
  const runningMs = performance.now();
  const processesLaunching = launching.stop();
  const observed = await observe({ api, pids }, ids, seconds);
  const releasedMs = performance.now();
  openGate(gate);
  await until(`${jobs} completed jobs`, { everyMs: pollMs, limitMs: endLimitMs }, async () =>
    (await historyLength(api)) - before >= jobs ? true : undefined,
  );
  const endedMs = performance.now();
  await verifyHistory(api, new Set(ids), jobs);
  for (const id of [event, warmUp]) await api.ok('delete_event', { id });
  const { sampledMs, ...figures } = observed;
  return {
    jobs,
    lanes,
    launch_to_all_accepted_ms: round(launchedMs - startedMs),
    launch_to_all_running_ms: round(runningMs - startedMs),
    launch_to_all_sampled_ms: round(sampledMs - startedMs),
    all_ended_after_ms: round(endedMs - releasedMs),
    processes_launching: processesLaunching,
    ...figures,
  };
}

async function launch(api, event, jobs, lanes) {
  const ids = [];
  let next = 0;
  const lane = async () => {
    while (next < jobs) {
      next += 1;
      ids.push((await api.ok('run_event', { id: event })).ids[0]);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return ids;
}

const isSampled = (job) => job.cpu?.count > 0 && job.mem?.count > 0 && job.mem.current > 0;

async function countRunning(api, ids) {
  const { jobs } = await api.ok('get_active_jobs', {});
  return ids.filter((id) => jobs[id]?.pid > 0).length;
}

/** Polls get_active_jobs and watches the processes. Throws when a job is missing, or not all have been sampled. */
async function observe({ api, pids }, ids, seconds) {
  const startedMs = performance.now();
  const watch = watchProcesses(pids);
  const latency = [];
  let sampledMs;
  try {
    while (performance.now() - startedMs < seconds * 1000) {
      const askedMs = performance.now();
      const { jobs } = await api.ok('get_active_jobs', {});
      const answeredMs = performance.now();
      latency.push(answeredMs - askedMs);
      const missing = ids.filter((id) => jobs[id] === undefined);
      if (missing.length > 0) throw new Error(`${missing.length} running jobs are not active: ${missing[0]}`);
      if (ids.every((id) => isSampled(jobs[id]))) sampledMs ??= answeredMs;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    if (sampledMs === undefined) throw new Error(`Not all jobs have cpu and mem after ${seconds} s`);
    return {
      sampledMs,
      observed_seconds: round((performance.now() - startedMs) / 1000),
      get_active_jobs_ms: quantiles(latency),
      processes: watch.stop(),
    };
  } finally {
    watch.cancel();
  }
}

/** Every reader goes on. */
function openGate(gate) {
  try {
    fs.closeSync(fs.openSync(gate, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK));
  } catch (error) {
    // Nobody waits.
    if (error.code !== 'ENXIO') throw error;
  }
}
