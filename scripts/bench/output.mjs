import { completed, createShellEvent, runWhenPossible } from './api.mjs';
import { round, watchProcesses } from './process-watch.mjs';
import { quantiles } from './quantiles.mjs';
import { until } from './wait.mjs';

const pollMs = 20;
const line = `${'x'.repeat(99)}\n`;

/**
 * One job that prints much: lines of 100 bytes, all alike, so its archived log is small. The figures go from
 * run_event to the job being complete, with its log in the archive. Then the log is read back and must be
 * exactly what was printed.
 */
export async function measureOutput({ api, pids }, { megabytes }) {
  const bytes = megabytes * 1_000_000;
  const script = `#!/bin/sh\nyes ${line.trim()} | head -c ${bytes}\n`;
  const event = await createShellEvent(api, 'Bench: output', script);
  const warmUp = await createShellEvent(api, 'Bench: first output', '#!/bin/sh\necho a line\n');
  await completed(api, await runWhenPossible(api, warmUp));

  const watch = watchProcesses(pids);
  try {
    const startedMs = performance.now();
    const [id] = (await api.ok('run_event', { id: event })).ids;
    const { job, latency } = await followed(api, id, 30_000 + megabytes * 1000);
    const seconds = (performance.now() - startedMs) / 1000;
    const processes = watch.stop();
    if (job.code !== 0) throw new Error(`Job ${id} failed: ${job.description}`);
    const readMs = performance.now();
    await verifyLog(api, id, bytes, job.log_file_size);
    const readSeconds = (performance.now() - readMs) / 1000;
    for (const each of [event, warmUp]) await api.ok('delete_event', { id: each });
    return {
      megabytes,
      seconds: round(seconds),
      mb_per_second: round(megabytes / seconds),
      log_file_size_bytes: job.log_file_size,
      get_job_log_mb_per_second: round(job.log_file_size / 1e6 / readSeconds),
      get_job_status_ms: quantiles(latency),
      processes,
    };
  } finally {
    watch.cancel();
  }
}

async function followed(api, id, limitMs) {
  const latency = [];
  const job = await until(`job ${id} complete`, { everyMs: pollMs, limitMs }, async () => {
    const askedMs = performance.now();
    const answer = await api.ok('get_job_status', { id });
    latency.push(performance.now() - askedMs);
    return answer.job.complete ? answer.job : undefined;
  });
  return { job, latency };
}

/** Reads the log and compares it: its head up to a blank line, what was printed, its end. */
async function verifyLog(api, id, bytes, size) {
  const pattern = Buffer.from(line.repeat(2000));
  let head = '';
  let total = 0;
  let printed = 0;
  let tail = '';
  await api.read('get_job_log', { id }, (piece) => {
    total += piece.length;
    let rest = piece;
    if (!head.includes('\n\n')) {
      const text = head + rest.toString('latin1');
      const start = text.includes('\n\n') ? text.indexOf('\n\n') + 2 : text.length;
      rest = rest.subarray(start - head.length);
      head = text.slice(0, start);
    }
    while (rest.length > 0 && printed < bytes) {
      const from = printed % line.length;
      const length = Math.min(rest.length, bytes - printed, pattern.length - from);
      if (rest.compare(pattern, from, from + length, 0, length) !== 0) {
        throw new Error(
          `The log of job ${id} is wrong between bytes ${printed} and ${printed + length} of its output`,
        );
      }
      printed += length;
      rest = rest.subarray(length);
    }
    tail += rest.toString('latin1');
  });
  if (printed !== bytes) throw new Error(`The log of job ${id} has ${printed} of ${bytes} bytes printed`);
  if (!/^\n# Job completed successfully at .*\n# End of log\.\n$/.test(tail)) {
    throw new Error(`The log of job ${id} ends with ${JSON.stringify(tail.slice(-200))}`);
  }
  if (total !== size) throw new Error(`The log of job ${id} has ${total} bytes, its record says ${size}`);
}
