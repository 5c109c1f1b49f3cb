import { apiCalls, CarillonError, type JobFields, type JobState } from '@carillon/contract';
import { missingScope } from '@carillon/core';
import { bareSuccess } from '../reply/reply.js';
import {
  type CallContext,
  type CallHandlers,
  fromStore,
  isLimited,
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
    await context.office.updateJob(job.id, readSettings(context.params));
    return bareSuccess;
  },

  abort_job: async (context) => {
    const job = findActiveJob(context);
    requireScopeOf(context, job);
    await context.office.abortJob(job.id, context.caller);
    return bareSuccess;
  },
};

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
