import { CarillonError } from '@carillon/contract';
import { type CallHandlers, fromStore, type LogReply, requireScopeOf } from './call-context.js';
import { findJob } from './jobs.js';

/** Job logs (behaviour reference 2.2). */
export const logCalls: CallHandlers = {
  get_job_log: async (context): Promise<LogReply> => {
    const job = await findJob(context);
    requireScopeOf(context, job);
    const log = await fromStore(context, context.office.jobLog(job.id));
    if (log === undefined && job.state === 'completed') {
      throw new CarillonError('job', `Failed to fetch job log: No log was kept for job: ${job.id}`);
    }
    // A job that has not started yet has an empty log.
    const { gzip, bytes } = log ?? { gzip: false, bytes: nothing() };
    return { job: job.id, gzip, bytes, download: Boolean(context.params['download']) };
  },
};

async function* nothing(): AsyncGenerator<Uint8Array> {}
