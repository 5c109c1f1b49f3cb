import { CarillonError } from '@carillon/contract';
import { bareSuccess } from '../../reply/reply.js';
import { type CallContext, type CallHandlers, fromStore, requireScopeOf } from '../call-context.js';
import { findJob } from '../jobs.js';

/** Calls about jobs that are over (behaviour reference 2.2). */
export const completedJobCalls: CallHandlers = {
  get_job_details: async (context) => {
    const job = await findCompletedJob(context);
    requireScopeOf(context, job);
    if (
      context.params['need_log'] &&
      (await fromStore(context, context.office.jobLog(job.id))) === undefined
    ) {
      throw new CarillonError('job', `Failed to fetch job details: No log was kept for job: ${job.id}`);
    }
    const { office, credential } = context;
    const token = credential === undefined ? {} : { token: office.logTokens.issue(job.id, credential) };
    return JSON.stringify({ code: 0, job, ...token });
  },

  delete_job: async (context) => {
    const { state: _state, ...job } = await findCompletedJob(context);
    await fromStore(context, context.office.deleteJob(job, context.caller));
    return bareSuccess;
  },
};

async function findCompletedJob(context: CallContext) {
  const job = await findJob(context);
  if (job.state !== 'completed') {
    requireScopeOf(context, job);
    throw new CarillonError('job', `Failed to fetch job details: Job has not been completed: ${job.id}`);
  }
  return job;
}
