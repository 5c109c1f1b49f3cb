import type { CategoryRecord, EventRecord, PluginRecord } from '@carillon/contract';
import type { ActiveJob } from '../state/active-job.js';
import type { ClusterState } from '../state/cluster-state.js';
import type { ResolvedTarget } from './candidates.js';
import { countOf, type JobSettings } from './job-settings.js';
import type { LaunchRequest, LaunchSnapshot, Member, RefusalCause } from './types.js';

/** Why a launch cannot happen now. */
export interface Obstacle {
  reason: string;
  cause: RefusalCause;
}

/** A launch whose parts all exist. */
export interface Prospect {
  request: LaunchRequest;
  event: EventRecord;
  plugin: PluginRecord;
  category: CategoryRecord;
  settings: JobSettings;
  target: ResolvedTarget;
  /** Members that may get a job. */
  room: readonly Member[];
}

/**
 * The first thing in the way of a launch, in the order and with the texts of behaviour reference 5.2 (checks 3
 * to 8); then the queue: a request waits behind the earlier ones of its event.
 */
export function findObstacle(prospect: Prospect, snapshot: LaunchSnapshot): Obstacle | undefined {
  return (
    concurrencyObstacle(prospect, snapshot) ??
    disabledObstacle(prospect) ??
    serverObstacle(prospect) ??
    queueObstacle(prospect, snapshot.state)
  );
}

/** Queued jobs of an event, in no particular order. */
export const queuedJobsOf = (state: ClusterState, event: string): ActiveJob[] =>
  state.jobsOfEvent(event).filter((job) => job.state === 'queued');

function concurrencyObstacle(prospect: Prospect, snapshot: LaunchSnapshot): Obstacle | undefined {
  const { event, category, settings } = prospect;
  const { state, maxJobs } = snapshot;
  const eventMax = Object.hasOwn(settings, 'max_children')
    ? countOf(settings, 'max_children')
    : event.max_children;
  if (eventMax > 0 && hasStarted(state.jobsOfEvent(event.id), eventMax)) {
    return busy(`Maximum of ${jobCount(eventMax)} already running for event: ${event.title}`);
  }
  const categoryMax = category.max_children;
  if (categoryMax > 0 && hasStarted(state.jobsOfCategory(category.id), categoryMax)) {
    return busy(`Maximum of ${jobCount(categoryMax)} already running for category: ${category.title}`);
  }
  if (maxJobs > 0 && state.jobs.size - state.countJobsOfNode('') >= maxJobs) {
    return busy(`Global maximum of ${jobCount(maxJobs)} already running.`);
  }
  return undefined;
}

function disabledObstacle({ category, plugin }: Prospect): Obstacle | undefined {
  if (!category.enabled) return { reason: `Category '${category.title}' is disabled.`, cause: 'disabled' };
  if (!plugin.enabled) return { reason: `Plugin '${plugin.title}' is disabled.`, cause: 'disabled' };
  return undefined;
}

function serverObstacle({ target, room }: Prospect): Obstacle | undefined {
  if (room.length > 0) return undefined;
  const isAvailable = target.members.some((member) => member.available);
  if (target.kind === 'server') {
    return isAvailable
      ? busy(`Maximum number of jobs already running on server: ${target.title}`)
      : { reason: `Server is not available: ${target.title}`, cause: 'no-server' };
  }
  return isAvailable
    ? busy(`Maximum number of jobs already running on all servers of group: ${target.title}`)
    : { reason: `Could not find any servers for group: ${target.title}`, cause: 'no-server' };
}

function queueObstacle({ request, event, settings }: Prospect, state: ClusterState): Obstacle | undefined {
  if (!settings['queue']) return undefined;
  const before = request.queued?.seq ?? Number.POSITIVE_INFINITY;
  const isBehind = queuedJobsOf(state, event.id).some((job) => job.seq < before && job.abort === undefined);
  return isBehind ? busy(`Earlier jobs are still queued for event: ${event.title}`) : undefined;
}

/**
 * True when at least `count` jobs have started. Every active job counts but a queued one: also those that wait for
 * their time or whose worker is silent.
 */
function hasStarted(jobs: readonly ActiveJob[], count: number): boolean {
  let missing = count;
  for (const job of jobs) {
    if (job.state !== 'queued') missing -= 1;
    if (missing <= 0) return true;
  }
  return false;
}

const busy = (reason: string): Obstacle => ({ reason, cause: 'busy' });

const jobCount = (count: number): string => `${count} job${count === 1 ? '' : 's'}`;
