import type { ActiveJob } from '../state/active-job.js';
import type { ClusterState } from '../state/cluster-state.js';
import type { Random } from '../ports/random.js';

/** A wish to run an event: from the API, the schedule, a chain or a queue. One door for all. */
export interface LaunchRequest {
  event: string;
  /** Settings of this one job, already checked against the call's schema; control keys are dropped here. */
  overrides: Readonly<Record<string, unknown>>;
  /** Unix seconds the job is told it runs for. */
  now: number;
  /** Text for `source`; absent for scheduled jobs. */
  source?: string;
  /** Who asked, recorded on the job. */
  username?: string;
  api_key?: string;
  /** Further wire fields set by the system, such as `source_event`; not subject to the override rules. */
  extra?: Readonly<Record<string, unknown>>;
  /** A queued job that gets another chance: keeps its id, and its merged settings instead of the event's. */
  queued?: ActiveJob;
}

/** A worker as the launch rules see it. */
export interface Member {
  id: string;
  hostname: string;
  /** Group ids the worker declares. */
  groups: readonly string[];
  /** May get new jobs: connected (or expected back within moments) and not draining. */
  available: boolean;
  /** Most jobs at one time; 0 = no limit. */
  slots: number;
  /** Load of the worker process itself: percent of one core, bytes. */
  cpu: number;
  mem: number;
}

export interface LaunchSnapshot {
  state: ClusterState;
  members: readonly Member[];
  /** Wall clock, Unix milliseconds. */
  nowMs: number;
  /** Most jobs of the whole cluster at one time; 0 = no limit. */
  maxJobs: number;
  random: Random;
  /** A fresh job id for each call. */
  newJobId: () => string;
  /** Larger than the seq of every job so far; the plan uses this and the following numbers. */
  nextSeq: number;
}

export type LaunchPlan =
  /** `jobs` are `dispatched` (start now) or `waiting` (stagger), each with its node. */
  | { kind: 'launch'; jobs: ActiveJob[]; robin?: number }
  /** Must wait for room: one job in state `queued`, with its id; `length` counts the queue including it. */
  | { kind: 'queue'; job: ActiveJob; length: number }
  /** `reason` is the peer's text, e.g. `Maximum of 1 job already running for event: X`. */
  | { kind: 'refuse'; reason: string; cause: RefusalCause };

/** `disabled` refusals of scheduled launches are not reported; `busy` ones pass when a job ends. */
export type RefusalCause = 'target' | 'missing' | 'busy' | 'disabled' | 'no-server' | 'queue-full';
