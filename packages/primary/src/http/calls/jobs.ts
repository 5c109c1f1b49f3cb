import { apiCalls, CarillonError, checkParameters, type JobFields, type JobState } from '@carillon/contract';
import { isLimited, missingScope } from '@carillon/core';
import { findEvent } from './events.js';
import { bareSuccess } from '../reply/reply.js';
import {
  type CallContext,
  type CallHandlers,
  fromStore,
  requireChainScopeOf,
  requireScopeOf,
  textParam,
} from './call-context.js';

type JobView = JobFields & { state: JobState };

/** Calls about jobs (behaviour reference 2.2). */
export const jobCalls: CallHandlers = {
  get_job_status: async (context) => {
    const job = await findJob(context);
    requireScopeOf(context, job);
    return JSON.stringify({ code: 0, job });
  },

  get_active_jobs: ({ office, caller }) => {
    const hostnames = isLimited(caller) ? office.hostnames() : undefined;
    const jobs: string[] = [];
    for (const job of office.activeJobs()) {
      if (hostnames !== undefined && missingScope(caller, job, office.state, hostnames) !== undefined)
        continue;
      jobs.push(`${JSON.stringify(job.id)}:${JSON.stringify(job)}`);
    }
    return `{"code":0,"jobs":{${jobs.join(',')}}}`;
  },

  update_job: async (context) => {
    const job = findActiveJob(context);
    requireScopeOf(context, job);
    requireChainScopeOf(context, context.params);
    await context.office.updateJob(job.id, readSettings(context.params));
    return bareSuccess;
  },

  abort_job: async (context) => {
    const job = findActiveJob(context);
    requireScopeOf(context, job);
    await context.office.abortJob(job.id, context.caller);
    return bareSuccess;
  },

  update_jobs: async (context) => {
    const { updates, ...criteria } = context.params;
    const settings: Record<string, unknown> = { ...Object(updates) };
    checkParameters(apiCalls.update_job, { ...settings, id: 'updates' });
    const jobs = matchingJobs(context, criteria);
    requireChainScopeOf(context, settings);
    await Promise.all(jobs.map((job) => context.office.updateJob(job.id, readSettings(settings))));
    return JSON.stringify({ code: 0, count: jobs.length });
  },

  abort_jobs: async (context) => {
    const { no_rewind: noRewind, ...criteria } = context.params;
    const jobs = matchingJobs(context, criteria).filter((job) => !job['detached']);
    const ids = jobs.map((job) => job.id);
    await context.office.abortJobs(ids, context.caller, { noRewind: Boolean(noRewind) });
    return JSON.stringify({ code: 0, count: ids.length });
  },

  flush_event_queue: async (context) => {
    const event = findEvent(context);
    requireScopeOf(context, event);
    await context.office.flushQueue(event.id, context.caller);
    return bareSuccess;
  },
};

/** Active jobs whose fields equal all criteria. Throws CarillonError when one of them is out of the caller's scope. */
function matchingJobs(context: CallContext, criteria: Readonly<Record<string, unknown>>): JobView[] {
  const wanted = Object.entries(criteria);
  const jobs: JobView[] = [];
  for (const job of context.office.activeJobs()) {
    if (wanted.every(([name, value]) => Object.hasOwn(job, name) && job[name] === value)) jobs.push(job);
  }
  for (const job of jobs) requireScopeOf(context, job);
  return jobs;
}

/** An active or completed job. Throws CarillonError `job` when there is none. */
export async function findJob(context: CallContext): Promise<JobView> {
  const { office, params } = context;
  const id = textParam(params, 'id');
  const active = office.activeJob(id);
  if (active !== undefined) return active;
  const record = await fromStore(context, office.completedJob(id));
  if (record === undefined) {
    throw new CarillonError('job', `Failed to fetch job details: Job not found: ${id}`);
  }
  return { ...record, state: 'completed' };
}

function findActiveJob({ office, params }: CallContext): JobView {
  const id = textParam(params, 'id');
  const job = office.activeJob(id);
  if (job === undefined) throw new CarillonError('job', `Failed to locate job: ${id}`);
  return job;
}

/** The documented settings among the parameters; anything else is ignored. */
function readSettings(params: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const name of Object.keys(apiCalls.update_job.params.properties)) {
    if (name !== 'id' && Object.hasOwn(params, name)) settings[name] = params[name];
  }
  return settings;
}
