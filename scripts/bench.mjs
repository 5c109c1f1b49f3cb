#!/usr/bin/env node
// Measures private nodes on this machine and prints one JSON document; exit code 1 when a job failed or was lost.
//   npm run bench -- [--only latency,throughput,concurrent,output]
//     latency      [--runs 100]                      run_event → first line of the script → complete
//     throughput   [--jobs 1000] [--lanes 32]        no-op jobs per second
//     concurrent   [--concurrent 200] [--seconds 20] jobs that run at one time
//     output       [--megabytes 200]                 one job that prints much
// The nodes, their Redis and this client share the cores, so figures are for comparison on one machine.
import os from 'node:os';
import { startCluster } from './bench/cluster.mjs';
import { measureConcurrent } from './bench/concurrent.mjs';
import { measureLatency } from './bench/latency.mjs';
import { startNode } from './bench/node.mjs';
import { parseOptions } from './bench/options.mjs';
import { measureOutput } from './bench/output.mjs';
import { measureThroughput } from './bench/throughput.mjs';

// The first two on a node that is everything, the others on a primary and a worker with a Redis of their own.
const onNode = {
  latency: ['run_latency', measureLatency],
  throughput: ['job_throughput', measureThroughput],
};
const onCluster = {
  concurrent: ['concurrent_jobs', measureConcurrent],
  output: ['job_output', measureOutput],
};

const options = parseOptions(process.argv.slice(2));
const report = {
  started: new Date().toISOString(),
  machine: { cores: os.availableParallelism(), cpu: os.cpus()[0]?.model ?? 'unknown', node: process.version },
};
try {
  await measure(onNode, startNode, (node) => node.api);
  await measure(onCluster, startCluster, (cluster) => cluster);
  report.ok = true;
} catch (error) {
  report.ok = false;
  report.error = String(error);
}
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
process.exitCode = report.ok ? 0 : 1;

/** Starts what is measured if one of the measures is wanted, and stops it whatever happens. */
async function measure(measures, start, subject) {
  const wanted = options.only.filter((part) => Object.hasOwn(measures, part));
  if (wanted.length === 0) return;
  const started = await start();
  try {
    for (const part of wanted) {
      const [name, run] = measures[part];
      report[name] = await run(subject(started), options);
    }
  } finally {
    await started.stop();
  }
}
