import { createClient } from '@carillon/client';

/** Numbers of workers, one after the other, while jobs are launched; the primary is killed in the step `killAt`. */
const usual = { steps: [1, 4, 2, 5, 1, 3], stepMs: 4_000, killAt: 3 };

/**
 * Launches short jobs without a pause through the load balancer while the number of workers goes up and down, and once the
 * primary is killed. Answers what became of them; `problems` is empty when each job that was launched is in the history
 * exactly once, with code 0.
 */
export async function checkScaling(cluster, say = () => undefined, course = usual) {
  const client = createClient({ urls: [cluster.url], apiKey: cluster.apiKey });
  try {
    await cluster.scale(course.steps[0]);
    const { id } = await client.createEvent({
      title: 'Scaling check',
      enabled: 1,
      category: 'general',
      plugin: 'shellplug',
      target: 'allgrp',
      max_children: 0,
      params: { script: '#!/bin/sh\nsleep 0.$(($$ % 10))\necho done\n' },
    });
    const launched = await load(client, id, { cluster, say, course });
    return await judge(client, id, launched);
  } finally {
    client.close();
  }
}

async function load(client, id, { cluster, say, course }) {
  const { steps, stepMs, killAt } = course;
  const launched = { ids: [], refused: 0 };
  let isOver = false;
  const lane = async () => {
    while (!isOver) {
      try {
        launched.ids.push(...(await client.runEvent({ id })).ids);
      } catch {
        // Not answered with an id: while the primary changes. Such a job may run all the same.
        launched.refused += 1;
        await pause(200);
      }
      await pause(100);
    }
  };
  const lanes = Array.from({ length: 6 }, lane);
  for (const [index, count] of steps.entries()) {
    await cluster.scale(count);
    say(`${count} workers, ${launched.ids.length} jobs launched`);
    if (index === killAt) {
      say('the primary is killed');
      cluster.kill(await primaryOf(cluster));
    }
    await pause(stepMs);
  }
  isOver = true;
  await Promise.all(lanes);
  return launched;
}

async function primaryOf({ nodeUrls }) {
  for (const [index, url] of nodeUrls.entries()) {
    const answer = await fetch(`${url}/health/primary`, { signal: AbortSignal.timeout(2_000) }).catch(
      () => undefined,
    );
    if (answer?.ok) return `primary-${index + 1}`;
  }
  throw new Error('No node is the primary');
}

async function judge(client, id, { ids, refused }) {
  const problems = [];
  const hosts = new Map();
  for (const job of ids) await client.waitForJob(job);
  const rows = new Map();
  for await (const row of client.history(id)) rows.set(row.id, [...(rows.get(row.id) ?? []), row]);
  for (const job of ids) {
    const found = rows.get(job) ?? [];
    if (found.length !== 1) problems.push(`${job} has ${found.length} rows in the history`);
    for (const { code, hostname, description } of found) {
      if (code !== 0) problems.push(`${job} ended with ${code} on ${hostname}: ${description}`);
      hosts.set(hostname, (hosts.get(hostname) ?? 0) + 1);
    }
  }
  if (ids.length === 0) problems.push('No job was launched');
  return {
    launched: ids.length,
    completed: rows.size,
    refused,
    byWorker: Object.fromEntries(hosts),
    problems,
  };
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
