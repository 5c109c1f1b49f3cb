import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { quantiles } from '../quantiles.mjs';
import { until } from '../wait.mjs';

const due = 50;
const minuteMs = 60_000;

/** How late after the full minute the scripts of 50 events start that are due then; fails when one starts before. */
export async function measureTick(api) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'carillon-tick-'));
  const file = path.join(directory, 'times');
  // Far enough from the boundary for all of them to be there.
  const leftMs = minuteMs - (Date.now() % minuteMs);
  if (leftMs < 5_000) await new Promise((resolve) => setTimeout(resolve, leftMs + 500));
  const minute = new Date(Math.ceil(Date.now() / minuteMs) * minuteMs);
  const ids = [];
  for (let n = 0; n < due; n += 1) {
    const { id } = await api.ok('create_event', {
      title: 'Bench: due',
      enabled: 1,
      category: 'general',
      plugin: 'shellplug',
      target: 'allgrp',
      timezone: 'UTC',
      timing: { hours: [minute.getUTCHours()], minutes: [minute.getUTCMinutes()] },
      params: { script: `#!/bin/sh\ndate +%s.%N >> ${file}\n` },
    });
    ids.push(id);
  }
  const lines = () => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n') : []);
  try {
    await until(`${due} started jobs`, { everyMs: 200, limitMs: 2 * minuteMs }, async () =>
      lines().length >= due ? true : undefined,
    );
    await until('their end', { everyMs: 200, limitMs: minuteMs }, async () => {
      const { jobs } = await api.ok('get_active_jobs', {});
      return Object.keys(jobs).length === 0 ? true : undefined;
    });
    const skew = lines().map((line) => Number(line) * 1000 - minute.getTime());
    if (skew.length !== due) throw new Error(`${skew.length} starts of ${due} due events`);
    if (Math.min(...skew) < 0) throw new Error(`A job started ${-Math.min(...skew)} ms before its minute`);
    return { due, start_after_boundary_ms: quantiles(skew) };
  } finally {
    for (const id of ids) await api.ok('delete_event', { id });
    fs.rmSync(directory, { recursive: true });
  }
}
