import { CarillonError } from '@carillon/contract';
import {
  type CallContext,
  type CallHandlers,
  fromStore,
  type LogReply,
  requireScopeOf,
  textParam,
} from './call-context.js';
import { findJob } from './jobs.js';

/** Job logs (behaviour reference 2.2). */
export const logCalls: CallHandlers = {
  get_job_log: async (context) => {
    const job = await findJob(context);
    requireScopeOf(context, job);
    return logOf(context, job);
  },

  get_live_job_log: async (context) => {
    const id = textParam(context.params, 'id');
    const job = context.office.activeJob(id);
    if (job === undefined)
      throw new CarillonError('job', `Failed to fetch job log: Job is not active: ${id}`);
    requireScopeOf(context, job);
    return logOf(context, job);
  },

  get_log_watch_auth: (context) => {
    const { office, params, credential } = context;
    const id = textParam(params, 'id');
    const job = office.activeJob(id);
    if (job === undefined || credential === undefined) {
      throw new CarillonError('job', `Failed to locate job for log watch auth: ${id}`);
    }
    requireScopeOf(context, job);
    return JSON.stringify({ code: 0, token: office.logTokens.issue(id, credential) });
  },
};

async function logOf(context: CallContext, job: { id: string; state: string }): Promise<LogReply> {
  const log = await fromStore(context, context.office.jobLog(job.id));
  if (log === undefined && job.state === 'completed') {
    throw new CarillonError('job', `Failed to fetch job log: No log was kept for job: ${job.id}`);
  }
  // A job that has not started yet has an empty log.
  const { gzip, bytes } = log ?? { gzip: false, bytes: nothing() };
  return { job: job.id, gzip, bytes, download: Boolean(context.params['download']) };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
