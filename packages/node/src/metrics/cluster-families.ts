import type { CallAnswer, JobState } from '@carillon/contract';
import type { ClusterState } from '@carillon/core';
import { type Family, gauge } from './instruments.js';

type WorkerView = CallAnswer<'get_servers'>['servers'][string];

const states: readonly Exclude<JobState, 'completed'>[] = [
  'queued',
  'waiting',
  'dispatched',
  'running',
  'silent',
  'settled',
];
/** Most events whose queue has a series of its own: the longest ones. */
const mostQueues = 100;

/** The state of the cluster, as its primary alone knows it. Jobs are counted by walking over all active ones. */
export function clusterFamilies(state: ClusterState, workers: readonly WorkerView[]): Family[] {
  return [
    gauge('carillon_scheduler_enabled', 'Whether the scheduler is switched on', state.enabled),
    gauge('carillon_events', 'Events in the schedule', state.events.size),
    gauge(
      'carillon_last_tick_timestamp_seconds',
      'The last minute whose launches are all done',
      state.tickMinute ?? 0,
    ),
    ...jobFamilies(state),
    gauge('carillon_deliveries_waiting', 'Web hooks and e-mails on their way', state.deliveries.size),
    ...workerFamilies(workers),
  ];
}

function jobFamilies(state: ClusterState): Family[] {
  const counts = new Map<string, number>(states.map((name) => [name, 0]));
  const queues = new Map<string, number>();
  for (const { state: name, fields } of state.jobs.values()) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if (name === 'queued') queues.set(fields.event, (queues.get(fields.event) ?? 0) + 1);
  }
  const longest = [...queues].sort(([, one], [, other]) => other - one).slice(0, mostQueues);
  return [
    gauge('carillon_active_jobs', 'Jobs that are not completed', state.jobs.size),
    gauge(
      'carillon_jobs',
      'Jobs that are not completed, by their state',
      [...counts].map(([name, value]) => ({ labels: { state: name }, value })),
    ),
    gauge(
      'carillon_queue_length',
      'Jobs in the queue of an event; of the hundred longest queues',
      longest.map(([event, value]) => ({ labels: { event }, value })),
    ),
  ];
}

function workerFamilies(workers: readonly WorkerView[]): Family[] {
  const series = (value: (worker: WorkerView) => number) =>
    workers.map((worker) => ({
      labels: { worker: worker.id, hostname: worker.hostname },
      value: value(worker),
    }));
  return [
    gauge('carillon_workers', 'Workers known to the primary', workers.length),
    gauge(
      'carillon_workers_available',
      'Workers that may get new jobs: heard of, and not leaving',
      workers.filter(({ health, draining }) => health === 'alive' && draining === 0).length,
    ),
    gauge(
      'carillon_worker_up',
      'Whether the primary hears the worker',
      series(({ health }) => (health === 'alive' ? 1 : 0)),
    ),
    gauge(
      'carillon_worker_draining',
      'Whether the worker takes no more jobs',
      series(({ draining }) => draining),
    ),
    gauge(
      'carillon_worker_jobs',
      'Jobs that are on the worker, or on their way to it',
      series(({ active_jobs: jobs }) => jobs),
    ),
    gauge(
      'carillon_worker_slots',
      'Most jobs of the worker at one time; 0 = no limit',
      series(({ slots }) => slots),
    ),
    gauge(
      'carillon_worker_cpu_ratio',
      'Processor time of the worker process itself; 1 is one core',
      series(({ data }) => data.cpu / 100),
    ),
    gauge(
      'carillon_worker_memory_bytes',
      'Memory of the worker process itself',
      series(({ data }) => data.mem),
    ),
  ];
}
