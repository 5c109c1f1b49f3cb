import type { EventRecord } from '@carillon/contract';
import {
  type ActiveJob,
  type Change,
  type ClusterState,
  type LaunchPlan,
  type LaunchRequest,
  type LaunchSnapshot,
  type Member,
  planLaunch,
} from '@carillon/core';
import { aMember, anEvent, aState, seededRandom } from './builders.js';

export const nowMs = 1_760_000_040_250;
export const web = [aMember('web1'), aMember('web2'), aMember('web3')];

export function snapshotOf(
  state: ClusterState,
  members: readonly Member[] = web,
  maxJobs = 0,
): LaunchSnapshot {
  let count = 0;
  return {
    state,
    members,
    nowMs,
    maxJobs,
    random: seededRandom(1),
    newJobId: () => {
      count += 1;
      return `jnew${count}`;
    },
    nextSeq: 100,
  };
}

export interface Setting {
  event?: Partial<EventRecord>;
  changes?: readonly Change[];
  members?: readonly Member[];
  maxJobs?: number;
  request?: Partial<LaunchRequest>;
}

export function plan({ event, changes, members, maxJobs, request }: Setting): LaunchPlan {
  const state = aState([anEvent(event)], changes);
  const full = { event: 'e1', overrides: {}, now: 1_760_000_040, ...request };
  return planLaunch(full, snapshotOf(state, members, maxJobs));
}

export function jobsOf(result: LaunchPlan): ActiveJob[] {
  if (result.kind === 'refuse') throw new Error(`refused: ${result.reason}`);
  return result.kind === 'launch' ? result.jobs : [result.job];
}
export const jobOf = (setting: Setting): ActiveJob => {
  const [job] = jobsOf(plan(setting));
  if (job === undefined) throw new Error('no job');
  return job;
};
export const put = (job: ActiveJob): Change => ({ type: 'job', job });
