#!/usr/bin/env node
// Measures a private all-in-one node on this machine and prints one JSON document.
//   npm run bench -- [--runs 100] [--jobs 1000] [--lanes 32] [--only latency,throughput]
// The node, its Redis and this client share the cores, so figures are for comparison on one machine.
import os from 'node:os';
import { measureLatency } from './bench/latency.mjs';
import { startNode } from './bench/node.mjs';
import { parseOptions } from './bench/options.mjs';
import { measureThroughput } from './bench/throughput.mjs';

const options = parseOptions(process.argv.slice(2));
const node = await startNode();
const report = {
  started: new Date().toISOString(),
  machine: { cores: os.availableParallelism(), cpu: os.cpus()[0]?.model ?? 'unknown', node: process.version },
};
try {
  if (options.only.includes('latency')) report.run_latency = await measureLatency(node.api, options);
  if (options.only.includes('throughput')) report.job_throughput = await measureThroughput(node.api, options);
  report.ok = true;
} catch (error) {
  report.ok = false;
  report.error = String(error);
} finally {
  await node.stop();
}
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
process.exitCode = report.ok ? 0 : 1;
