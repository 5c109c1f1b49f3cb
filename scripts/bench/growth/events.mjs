import { round, watchProcesses } from '../process-watch.mjs';
import { openRawClient } from './raw-client.mjs';
import { measureTick } from './tick.mjs';

const connections = 16;
const readSeconds = 2;
const writeSeconds = 2;
const idleSeconds = 10;
const neverDue = {
  enabled: 1,
  category: 'general',
  plugin: 'shellplug',
  target: 'allgrp',
  timing: { years: [2098] },
  params: { script: '#!/bin/sh\n' },
};

/**
 * What calls, memory, idling and a minute cost with more and more events in the schedule, one size after the other on the
 * same node. The events are enabled, and never due.
 */
export async function measureEvents(node, { sizes, tick }) {
  const client = await openRawClient(node.port, node.key, connections);
  const rows = [];
  const ids = [];
  try {
    for (const size of sizes) {
      await fill(client, ids, size);
      const reads = await measureReads(client, ids);
      const writes = await measureWrites(client);
      const idle = await measureIdle(node);
      const minute = tick ? { tick: await measureTick(node.api) } : {};
      rows.push({ events: size, ...reads, ...writes, ...idle, ...minute });
    }
  } finally {
    client.close();
  }
  return rows;
}

async function fill(client, ids, size) {
  let asked = ids.length;
  await client.load(600, () => {
    if (asked >= size) return undefined;
    asked += 1;
    return create((id) => ids.push(id));
  });
  if (ids.length !== size) throw new Error(`${ids.length} events instead of ${size}`);
}

const create = (onMade) => ({
  name: 'create_event',
  params: { ...neverDue, title: 'Bench: one of many' },
  onAnswer: (body) => onMade(JSON.parse(body).id),
});

async function measureReads(client, ids) {
  let turn = 0;
  const pages = Math.ceil(ids.length / 50);
  const calls = {
    get_schedule: () => ({ name: 'get_schedule', params: { offset: 50 * (turn++ % pages), limit: 50 } }),
    get_event: () => ({ name: 'get_event', params: { id: ids[turn++ % ids.length] } }),
    get_active_jobs: () => ({ name: 'get_active_jobs', params: {} }),
  };
  const row = {};
  for (const [name, next] of Object.entries(calls)) {
    await client.load(0.3, next);
    row[`${name}_per_second`] = (await client.load(readSeconds, next)).per_second;
  }
  return row;
}

/** Creates, changes and deletes events of its own; each is acknowledged when it is in the append-only file. */
async function measureWrites(client) {
  const made = [];
  const created = await client.load(writeSeconds, () => create((id) => made.push(id)));
  let turn = 0;
  const each = (call) => () => (turn < made.length ? call(made[turn++]) : undefined);
  const updated = await client.load(
    60,
    each((id) => ({ name: 'update_event', params: { id, title: 'Bench: changed' } })),
  );
  turn = 0;
  const deleted = await client.load(
    60,
    each((id) => ({ name: 'delete_event', params: { id } })),
  );
  if (deleted.done !== made.length) throw new Error(`${deleted.done} of ${made.length} events deleted`);
  return {
    create_event_per_second: created.per_second,
    update_event_per_second: updated.per_second,
    delete_event_per_second: deleted.per_second,
  };
}

async function measureIdle(node) {
  const watch = watchProcesses(node.pids());
  await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1000));
  const processes = Object.values(watch.stop());
  const sum = (field) => round(processes.reduce((total, process) => total + process[field], 0));
  return { idle_cpu_percent: sum('cpu_percent_of_a_core'), memory_mb: sum('rss_end_mb') };
}
