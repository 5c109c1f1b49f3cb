import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { completed, createShellEvent, runWhenPossible } from './api.mjs';
import { quantiles, wallMs } from './quantiles.mjs';

const warmUpRuns = 10;

/**
 * run_event → first line of the script (which writes the time to a file, the start of `date` included) and →
 * get_job_status says complete. One run after the other.
 */
export async function measureLatency(api, { runs }) {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'carillon-latency-')), 'times');
  const event = await createShellEvent(api, 'Bench: latency', `#!/bin/sh\ndate +%s.%N >> ${file}\n`);
  const answer = [];
  const start = [];
  const complete = [];
  for (let run = 0; run < warmUpRuns + runs; run += 1) {
    const asked = wallMs();
    const id =
      run === 0 ? await runWhenPossible(api, event) : (await api.ok('run_event', { id: event })).ids[0];
    const answered = wallMs();
    const job = await completed(api, id);
    const ended = wallMs();
    if (job.code !== 0) throw new Error(`Job ${id} failed: ${job.description}`);
    const lines = fs.readFileSync(file, 'utf8').trim().split('\n');
    if (lines.length !== run + 1) throw new Error(`${lines.length} processes ran for ${run + 1} jobs`);
    if (run < warmUpRuns) continue;
    answer.push(answered - asked);
    start.push(Number(lines[run]) * 1000 - asked);
    complete.push(ended - asked);
  }
  await api.ok('delete_event', { id: event });
  fs.rmSync(path.dirname(file), { recursive: true });
  return {
    run_event_answer_ms: quantiles(answer),
    first_script_line_ms: quantiles(start),
    complete_ms: quantiles(complete),
  };
}
