#!/usr/bin/env node
// Measures private nodes on this machine and prints one JSON document to standard output; exit code 1 when a job failed or was lost.
//   npm run bench -- [--only latency,throughput,concurrent,output]
//     latency      [--runs 100]                      run_event → first line of the script → complete
//     throughput   [--jobs 1000] [--lanes 32]        no-op jobs per second
//     concurrent   [--concurrent 200] [--seconds 20] jobs that run at one time
//     output       [--megabytes 200]                 one job that prints much
//     events       [--sizes 10,1000,10000,50000] [--tick 0]  calls, memory, idling and a minute with so many events
//     concurrency  [--concurrency 1,50,200,500]      as concurrent, for each
//     workers      [--workers 1,5,20,50] [--simulated 2000]  the control plane alone: so many workers without processes
// A table of it, beside the targets and the figures published for the peer, goes to standard error.
// The nodes, their Redis and this client share the cores, so figures are for comparison on one machine.
import os from 'node:os';
import { startCluster } from './bench/cluster.mjs';
import { measureConcurrency } from './bench/growth/concurrency.mjs';
import { measureEvents } from './bench/growth/events.mjs';
import { tableOf } from './bench/report/table.mjs';
import { measureWorkers } from './bench/workers/measure.mjs';
import { measureConcurrent } from './bench/concurrent.mjs';
import { measureLatency } from './bench/latency.mjs';
import { startNode } from './bench/node.mjs';
import { parseOptions } from './bench/options.mjs';
import { measureOutput } from './bench/output.mjs';
import { measureThroughput } from './bench/throughput.mjs';

// The first two on a node that is everything, the others on a primary and a worker with a Redis of their own.
const onNode = {
  latency: ['run_latency', ({ api }, given) => measureLatency(api, given)],
  throughput: ['job_throughput', ({ api }, given) => measureThroughput(api, given)],
  events: ['events', measureEvents],
};
const onCluster = {
  concurrent: ['concurrent_jobs', measureConcurrent],
  output: ['job_output', measureOutput],
  concurrency: ['concurrency', measureConcurrency],
};
const onPrimary = { workers: ['workers', measureWorkers] };

const options = parseOptions(process.argv.slice(2));
const report = {
  started: new Date().toISOString(),
  machine: { cores: os.availableParallelism(), cpu: os.cpus()[0]?.model ?? 'unknown', node: process.version },
};
try {
  await measure(onNode, startNode);
  await measure(onCluster, startCluster);
  await measure(onPrimary, () => startCluster({ hasWorker: false }));
  report.ok = true;
} catch (error) {
  report.ok = false;
  report.error = String(error);
}
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
process.stderr.write(tableOf(report));
process.exitCode = report.ok ? 0 : 1;

/** Starts what is measured if one of the measures is wanted, and stops it whatever happens. */
async function measure(measures, start) {
  const wanted = options.only.filter((part) => Object.hasOwn(measures, part));
  if (wanted.length === 0) return;
  const started = await start();
  if (started.startupMs !== undefined) report.startup_ms = started.startupMs;
  try {
    for (const part of wanted) {
      const [name, run] = measures[part];
      report[name] = await run(started, options);
    }
  } finally {
    await started.stop();
  }
}
