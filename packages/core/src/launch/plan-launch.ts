import type { CategoryRecord, EventRecord, JobFields, PluginRecord } from '@carillon/contract';
import type { ActiveJob } from '../state/active-job.js';
import type { Change } from '../state/change.js';
import type { ClusterState } from '../state/cluster-state.js';
import { pickMember } from './algorithms.js';
import { nodeLoads, type ResolvedTarget, resolveTarget, withRoom } from './candidates.js';
import {
  countOf,
  effectiveParams,
  type JobSettings,
  mergeSettings,
  textOf,
  withCategoryDefaults,
} from './job-settings.js';
import { findObstacle, type Obstacle, type Prospect, queuedJobsOf } from './obstacles.js';
import type { LaunchPlan, LaunchRequest, LaunchSnapshot, Member } from './types.js';

/**
 * What to do about a wish to run an event: launch, queue or refuse (behaviour reference 5.1 to 5.5 and 5.9, texts
 * of 5.2). An event that allows queueing queues whatever cannot be launched now, except when its plugin or
 * category does not exist; and a new request never overtakes a queued one of its event. The plan shares no
 * structure with the state or the request.
 */
export function planLaunch(request: LaunchRequest, snapshot: LaunchSnapshot): LaunchPlan {
  const { state } = snapshot;
  const event = state.events.get(request.event);
  if (event === undefined) return refusal({ reason: `Event not found: ${request.event}`, cause: 'missing' });
  const settings = mergeSettings(event, request);
  const target = resolveTarget(textOf(settings, 'target'), snapshot);
  const plugin = state.plugins.get(textOf(settings, 'plugin'));
  const category = state.categories.get(textOf(settings, 'category'));
  const unknownTarget: Obstacle = {
    reason: `Server or Server Group not found: ${textOf(settings, 'target')}`,
    cause: 'target',
  };
  if (plugin === undefined || category === undefined) {
    const kind = plugin === undefined ? 'plugin' : 'category';
    const reason = `${plugin === undefined ? 'Plugin' : 'Category'} not found: ${textOf(settings, kind)}`;
    return refusal(target === undefined ? unknownTarget : { reason, cause: 'missing' });
  }
  const draft: Draft = { request, event, plugin, category, settings };
  if (target === undefined) return queueOrRefuse(draft, undefined, snapshot, unknownTarget);
  const loads = nodeLoads(state, target.members, textOf(settings, 'algo').startsWith('least_'));
  const room = withRoom(target.members, loads);
  const prospect: Prospect = { ...draft, target, room };
  const obstacle = findObstacle(prospect, snapshot);
  if (obstacle !== undefined) return queueOrRefuse(draft, target, snapshot, obstacle);
  return launch(draft, target, room, loads, snapshot);
}

/** Changes that carry out a launch or a queueing; a refusal changes nothing. One commit. */
export function launchChanges(event: string, plan: LaunchPlan): Change[] {
  if (plan.kind === 'refuse') return [];
  if (plan.kind === 'queue') return [{ type: 'job', job: plan.job }];
  const changes: Change[] = [];
  for (const job of plan.jobs) {
    changes.push({ type: 'job', job });
    if (job.state !== 'dispatched') continue;
    changes.push({ type: 'dispatch', run: { job: job.fields.id, attempt: job.attempt }, node: job.node });
  }
  if (plan.robin !== undefined) changes.push({ type: 'robin', event, index: plan.robin });
  return changes;
}

/**
 * Queued jobs that get another chance now: the first of each event's queue (of one event, when given), in launch
 * order. Jobs that are to be aborted are not among them.
 */
export function planDrain(state: ClusterState, event?: string): ActiveJob[] {
  const heads = new Map<string, ActiveJob>();
  for (const job of event === undefined ? state.jobsOfNode('') : state.jobsOfEvent(event)) {
    if (job.state !== 'queued' || job.abort !== undefined) continue;
    const head = heads.get(job.fields.event);
    if (head === undefined || job.seq < head.seq) heads.set(job.fields.event, job);
  }
  return [...heads.values()].sort((one, other) => one.seq - other.seq);
}

interface Draft {
  request: LaunchRequest;
  event: EventRecord;
  plugin: PluginRecord;
  category: CategoryRecord;
  settings: JobSettings;
}

const refusal = (obstacle: Obstacle): LaunchPlan => ({ kind: 'refuse', ...obstacle });

function queueOrRefuse(
  draft: Draft,
  target: ResolvedTarget | undefined,
  snapshot: LaunchSnapshot,
  obstacle: Obstacle,
): LaunchPlan {
  const { event, request, settings } = draft;
  const waiting = queuedJobsOf(snapshot.state, event.id);
  if (request.queued !== undefined) return { kind: 'queue', job: request.queued, length: waiting.length };
  if (!settings['queue']) return refusal(obstacle);
  const queueMax = countOf(settings, 'queue_max');
  if (queueMax > 0 && waiting.length >= queueMax) {
    const reason = `Job could not be queued: Event queue reached max of ${queueMax} items`;
    return refusal({ reason, cause: 'queue-full' });
  }
  const fields = buildFields(draft, target, snapshot.newJobId());
  const place = { state: 'queued', attempt: 1, seq: snapshot.nextSeq, node: '' } as const;
  const job: ActiveJob = { ...place, ...hiddenIn(draft.plugin), fields };
  return { kind: 'queue', job, length: waiting.length + 1 };
}

function launch(
  draft: Draft,
  target: ResolvedTarget,
  room: readonly Member[],
  loads: ReturnType<typeof nodeLoads>,
  snapshot: LaunchSnapshot,
): LaunchPlan {
  const { settings } = draft;
  const [first, ...others] = room;
  if (first === undefined) return refusal({ reason: 'No server has room', cause: 'busy' });
  if (target.kind === 'group' && settings['multiplex']) {
    const staggerMs = countOf(settings, 'stagger') * 1000;
    const jobs = room.map((member, index) =>
      buildJob(draft, target, member, index, snapshot, snapshot.nowMs + index * staggerMs),
    );
    return { kind: 'launch', jobs };
  }
  const pick =
    target.kind === 'server'
      ? { member: first }
      : pickMember(textOf(settings, 'algo'), [first, ...others], {
          random: snapshot.random,
          loads,
          robin: snapshot.state.robins.get(draft.event.id) ?? 0,
        });
  const jobs = [buildJob(draft, target, pick.member, 0, snapshot, snapshot.nowMs)];
  return { kind: 'launch', jobs, ...(pick.robin === undefined ? {} : { robin: pick.robin }) };
}

/** Job number `index` of a launch: dispatched at once, or waiting when its start lies in the future. */
function buildJob(
  draft: Draft,
  target: ResolvedTarget,
  member: Member,
  index: number,
  snapshot: LaunchSnapshot,
  startMs: number,
): ActiveJob {
  const queued = index === 0 ? draft.request.queued : undefined;
  const fields = buildFields(draft, target, queued?.fields.id ?? snapshot.newJobId());
  fields.hostname = member.hostname;
  // A job that goes on with another attempt started when its first one did.
  const first = (queued?.attempt ?? 1) > 1 ? queued?.fields.time_start : undefined;
  fields.time_start = first ?? startMs / 1000;
  const seq = queued?.seq ?? snapshot.nextSeq + index;
  const attempt = queued?.attempt ?? 1;
  const common = { attempt, seq, node: member.id, ...hiddenIn(draft.plugin), fields };
  return startMs > snapshot.nowMs
    ? { ...common, state: 'waiting', dueMs: startMs }
    : { ...common, state: 'dispatched' };
}

function hiddenIn({ params }: PluginRecord): Pick<ActiveJob, 'hiddenParams'> {
  const hiddenParams = params.filter(({ type }) => type === 'hidden').map(({ id }) => id);
  return hiddenParams.length === 0 ? {} : { hiddenParams };
}

/** The wire fields of a new job, without a server and a start (behaviour reference 3.3). */
function buildFields(draft: Draft, target: ResolvedTarget | undefined, id: string): JobFields {
  const { event, plugin, category, request } = draft;
  const settings = structuredClone(withCategoryDefaults(draft.settings, category));
  const { cwd, uid, gid, env } = plugin;
  return {
    ...settings,
    id,
    event: event.id,
    event_title: textOf(settings, 'event_title') || event.title,
    category: category.id,
    category_title: category.title,
    plugin: plugin.id,
    plugin_title: plugin.title,
    target: textOf(settings, 'target'),
    nice_target: target?.title ?? textOf(settings, 'target'),
    timeout: countOf(settings, 'timeout'),
    params: effectiveParams(settings['params'], plugin),
    command: plugin.command,
    ...(cwd ? { cwd } : {}),
    ...(uid === undefined || uid === '' ? {} : { uid }),
    ...(gid === undefined || gid === '' ? {} : { gid }),
    ...(env === undefined ? {} : { env: { ...env } }),
    now: countOf(settings, 'now') || request.now,
    hostname: '',
  };
}
