import { expect, test } from '@jest/globals';
import { baseEnvironment } from '../../src/worker/base-environment.js';

const own = {
  PATH: '/usr/bin',
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'own id',
  AWS_SECRET_ACCESS_KEY: 'own key',
  AWS_SESSION_TOKEN: 'own token',
  AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials',
  AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/var/run/token',
  AWS_WEB_IDENTITY_TOKEN_FILE: '/var/run/identity',
};
const s3 = { kind: 's3', bucket: 'logs', prefix: '', endpoint: undefined, region: undefined } as const;

test('with logs in S3 jobs do not see the credentials of the archive', () => {
  expect(baseEnvironment({ jobEnvironment: {}, logArchive: s3 }, own)).toEqual({
    PATH: '/usr/bin',
    AWS_REGION: 'eu-west-1',
  });
});

test('with logs in S3 job_env can give jobs credentials of their own', () => {
  const jobEnvironment = { PATH: '/bin', AWS_ACCESS_KEY_ID: 'of jobs', AWS_SECRET_ACCESS_KEY: 'key of jobs' };
  expect(baseEnvironment({ jobEnvironment, logArchive: s3 }, own)).toEqual({
    PATH: '/usr/bin',
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'of jobs',
    AWS_SECRET_ACCESS_KEY: 'key of jobs',
  });
});

test('with logs elsewhere jobs inherit the whole environment, which wins over job_env', () => {
  const jobEnvironment = { AWS_ACCESS_KEY_ID: 'of jobs', LANG: 'C' };
  expect(baseEnvironment({ jobEnvironment, logArchive: { kind: 'redis' } }, own)).toEqual({
    ...own,
    LANG: 'C',
  });
});
