import type { Cancel, Clock, JobLog, LogArchive, Logger } from '@carillon/core';
import type { HeldRun } from './held-run.js';

/** How long a start may wait for the log of earlier attempts. */
const longestWaitMs = 15_000;

export interface EarlierLogDeps {
  clock: Clock;
  logger: Logger;
  logs: JobLog;
  archive: LogArchive;
}

/**
 * Brings the log of a job's earlier attempts back to this worker, so that the next attempt continues it. Resolves with
 * what the log must say when that is not possible, '' otherwise; a log that is here already is left as it is. Never
 * rejects, and never waits longer than 15 s.
 */
export async function restoreEarlierLog(run: HeldRun, deps: EarlierLogDeps): Promise<string> {
  if (run.ref.attempt === 1) return '';
  const { clock, logger } = deps;
  let cancel: Cancel = () => undefined;
  const late = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(longestWaitMs, () => reject(new Error('The archive does not answer')));
  });
  try {
    await Promise.race([restore(run.ref.job, deps), late]);
    return '';
  } catch (error) {
    const reason = String(error).replace(/^\w*Error: /, '');
    logger.log('warn', 'The log of earlier attempts cannot be restored', { ...run.ref, error: reason });
    return `# The log of the earlier attempts could not be restored: ${reason}\n\n`;
  } finally {
    cancel();
  }
}

async function restore(job: string, { logs, archive }: EarlierLogDeps): Promise<void> {
  if ((await logs.read(job, 0, 1)).length > 0) return;
  const compressed = await archive.get(job);
  if (compressed === undefined) throw new Error('The archive has no such log');
  await logs.restore(job, compressed);
}
