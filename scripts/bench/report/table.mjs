import { published, publishedByEvents } from './published.mjs';

/** The report as a table for people: measure, target, measured, the peer's published figure, reached or not. */
export function tableOf(report) {
  const rows = [...plainRows(report), ...rowsByEvents(report.events ?? []), ...curveRows(report)];
  const head = ['measure', 'target', 'measured', 'peer', ''];
  const all = [head, ...rows];
  const widths = head.map((_title, column) => Math.max(...all.map((row) => String(row[column]).length)));
  const line = (row) =>
    row
      .map((cell, column) => String(cell).padEnd(widths[column]))
      .join('  ')
      .trimEnd();
  return `${[line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n')}\n`;
}

function plainRows(report) {
  const rate = report.job_throughput?.jobs_per_second;
  const raw = report.job_throughput?.raw_starts_per_second;
  const tick = report.events?.at(-1)?.tick?.start_after_boundary_ms;
  const measured = {
    'no-op shell jobs per second': rate,
    'share of the raw rate of starting scripts': raw && Math.round((100 * rate) / raw) / 100,
    'run_event to first line, p50 ms': report.run_latency?.first_script_line_ms.p50,
    'run_event to first line, p99 ms': report.run_latency?.first_script_line_ms.p99,
    'job output, MB/s': report.job_output?.mb_per_second,
    'stats of all of 200 running jobs, s':
      report.concurrent_jobs && report.concurrent_jobs.launch_to_all_sampled_ms / 1000,
    'start until primary, s': report.startup_ms && report.startup_ms / 1000,
    'tick: start of 50 due jobs, p50 ms': tick?.p50,
    'tick: start of 50 due jobs, last ms': tick?.max,
  };
  return Object.entries(published).flatMap(([name, { peer, target, lower }]) =>
    measured[name] === undefined ? [] : [rowOf(name, target, measured[name], peer, lower)],
  );
}

function rowsByEvents(sizes) {
  return sizes.flatMap((size) =>
    Object.entries(publishedByEvents).map(([name, { peer, target, lower }]) =>
      rowOf(`${name}, ${size.events} events`, target, size[name], peer[size.events] ?? '', lower),
    ),
  );
}

function curveRows(report) {
  const jobs = (report.concurrency ?? []).map((row) => [
    `get_active_jobs p50 ms with ${row.jobs} running jobs`,
    '',
    row.get_active_jobs_ms.p50,
    '',
    '',
  ]);
  const workers = (report.workers ?? []).map((row) => [
    `launches per second over ${row.workers} simulated workers`,
    '',
    row.jobs_per_second,
    '',
    '',
  ]);
  return [...jobs, ...workers];
}

function rowOf(name, target, measured, peer, lower = false) {
  const isReached = lower ? measured <= target : measured >= target;
  return [name, `${lower ? '<=' : '>='} ${target}`, measured, peer, isReached ? 'reached' : 'not reached'];
}
