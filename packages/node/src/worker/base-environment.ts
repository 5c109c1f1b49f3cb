import type { WorkerSettings } from './worker-settings.js';

/** Where the AWS SDK finds credentials in an environment. */
const credentialVariables = new Set([
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
]);
const containerPrefix = 'AWS_CONTAINER_';

/**
 * What the environments of jobs are made of, in Cronicle's order: the node's own wins over `job_env`. With logs in S3
 * the node's credentials are those of the archive, and none of the jobs' business; `job_env` may hold others for them.
 */
export function baseEnvironment(
  { jobEnvironment, logArchive }: Pick<WorkerSettings, 'jobEnvironment' | 'logArchive'>,
  own: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const isForJobs = (name: string): boolean => logArchive.kind !== 's3' || !isCredential(name);
  return {
    ...jobEnvironment,
    ...Object.fromEntries(Object.entries(own).filter(([name]) => isForJobs(name))),
  };
}

const isCredential = (name: string): boolean =>
  credentialVariables.has(name) || name.startsWith(containerPrefix);
