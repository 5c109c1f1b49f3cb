#!/usr/bin/env node
// How long a cluster has no primary: kills the primary of a private cluster of two, or stops it cleanly, again and again.
//   npm run failover -- [--times 30] [--lease-ttl-ms 2500]
// Prints one JSON document: for each way the time in milliseconds from the signal until get_master_state is answered as
// primary by the other node, asked for every 10 ms; and a job that ran all the time, which must end well. Exit code 1
// when anything went wrong. Needs a built checkout and redis-server; nodes, Redis and this client share the cores.
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { FaultyCluster, JobRecords } from '../packages/testkit/dist/cluster/index.js';
import { jobScript } from '../packages/testkit/dist/soak/index.js';
import { quantiles } from './bench/quantiles.mjs';
import { until } from './bench/wait.mjs';

const askEveryMs = 10;
const answerWithinMs = 1_000;
const giveUpAfterMs = 30_000;

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '30' },
    'lease-ttl-ms': { type: 'string', default: '2500' },
  },
});
if (!/^[1-9]\d*$/.test(values.times))
  throw new Error(`--times: expected a whole number, got ${values.times}`);

const cluster = await FaultyCluster.start({
  primaries: 2,
  workers: 1,
  direct: true,
  environment: { CARILLON_LEASE_TTL_MS: values['lease-ttl-ms'] },
});
const client = cluster.client();
const { directory, apiKey } = cluster.cluster;
const records = new JobRecords(directory, 'job');
const flag = path.join(directory, 'end-of-job');
try {
  const job = await startJob();
  const report = {
    started: new Date().toISOString(),
    machine: { cores: os.availableParallelism(), load: os.loadavg()[0], node: process.version },
    lease_ttl_ms: Number(values['lease-ttl-ms']),
    kill_9_ms: quantiles(await measure((node) => node.kill9())),
    clean_stop_ms: quantiles(await measure((node) => node.stop())),
    job_over_all: await endJob(job),
  };
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  process.exitCode = report.job_over_all.code === 0 && report.job_over_all.starts === 1 ? 0 : 1;
} finally {
  records.close();
  await cluster.close();
}

/** Ends the leader so many times; answers how long the other one took each time to answer as the primary. */
async function measure(end) {
  const timesMs = [];
  for (let time = 0; time < Number(values.times); time += 1) {
    const { leader, standby } = cluster;
    const startedMs = performance.now();
    const ended = end(leader.process);
    await until(
      `${standby.process.name} becomes the primary`,
      { everyMs: askEveryMs, limitMs: giveUpAfterMs },
      () => answersAsPrimary(standby.process.url),
    );
    timesMs.push(performance.now() - startedMs);
    await ended;
    process.stderr.write(`${time + 1}: ${Math.round(timesMs.at(-1))} ms\n`);
    const ready = leader.process.waitForNextLine(({ message }) => message === 'The node runs');
    leader.process.start();
    await ready;
  }
  return timesMs;
}

async function answersAsPrimary(url) {
  try {
    const response = await fetch(`${url}/api/app/get_master_state/v1`, {
      redirect: 'manual',
      headers: { 'X-API-Key': apiKey },
      signal: AbortSignal.timeout(answerWithinMs),
    });
    return response.status === 200 && (await response.json()).code === 0 ? true : undefined;
  } catch {
    return undefined;
  }
}

/** A job that runs until the flag is there. */
async function startJob() {
  const wait = `until [ -e '${flag}' ]; do sleep 0.1; done\n`;
  const script = jobScript({ path: records.path, lastsMs: 0 }).replace(/^echo "end/m, `${wait}echo "end`);
  const { id } = await client.createEvent({
    title: 'Runs over all failovers',
    enabled: 1,
    category: 'general',
    plugin: 'shellplug',
    target: 'allgrp',
    params: { script },
  });
  const { ids } = await client.runEvent({ id });
  await records.waitFor((lines) => lines.length > 0);
  return ids[0];
}

async function endJob(id) {
  writeFileSync(flag, '');
  const { code } = await client.waitForJob(id);
  return { code, starts: records.read().filter(([at]) => at === 'start').length };
}
