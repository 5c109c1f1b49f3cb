/**
 * Figures published for the peer, Cronicle 0.9.129 with its default settings on two cores, and what Carillon is to reach
 * on such a machine with its Redis on the same two cores.
 */
export const published = {
  'no-op shell jobs per second': { peer: 27, target: 350 },
  'share of the raw rate of starting scripts': { peer: 0.03, target: 0.4 },
  'run_event to first line, p50 ms': { peer: 48, target: 6, lower: true },
  'run_event to first line, p99 ms': { peer: 58, target: 15, lower: true },
  'job output, MB/s': { peer: 50, target: 200 },
  'stats of all of 200 running jobs, s': { peer: 15, target: 2, lower: true },
  'start until primary, s': { peer: 60, target: 1.5, lower: true },
  'tick: start of 50 due jobs, p50 ms': { peer: 1000, target: 60, lower: true },
  'tick: start of 50 due jobs, last ms': { peer: 1600, target: 200, lower: true },
};

/** Figures that depend on the number of events. */
export const publishedByEvents = {
  get_schedule_per_second: { peer: { 10: 8845, 1000: 3956, 10000: 1048, 50000: 210 }, target: 8000 },
  get_event_per_second: { peer: { 10: 11495, 1000: 7663, 10000: 1405, 50000: 322 }, target: 20000 },
  get_active_jobs_per_second: { peer: { 10: 13912, 1000: 14158, 10000: 13623, 50000: 13557 }, target: 20000 },
  create_event_per_second: { peer: { 10: 253, 1000: 262, 10000: 229, 50000: 159 }, target: 2500 },
  update_event_per_second: { peer: { 10: 262, 1000: 258, 10000: 234, 50000: 151 }, target: 2500 },
  delete_event_per_second: { peer: { 10: 282, 1000: 63, 10000: 60, 50000: 75 }, target: 2500 },
  idle_cpu_percent: { peer: { 10: 0.2, 1000: 0.3, 10000: 0.4, 50000: 0.8 }, target: 1.5, lower: true },
  memory_mb: { peer: { 10: 85, 1000: 116, 10000: 124, 50000: 183 }, target: 350, lower: true },
};
