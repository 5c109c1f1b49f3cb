import { redisShape, whyNoNamespaces } from '@carillon/testkit';
import { test } from '@jest/globals';

/**
 * `test` for a story whose cluster has `cutsFromRedis`. On any Redis but one plain server (CARILLON_TEST_REDIS,
 * `npm run stories`) it takes network namespaces; where these cannot be had it is skipped, and its name says why.
 */
export function testOfCutsFromRedis(): typeof test {
  const reason = redisShape() === 'plain' ? undefined : whyNoNamespaces();
  if (reason === undefined) return test;
  const skip = (name: string, ...rest: [Parameters<typeof test>[1], number?]): void =>
    test.skip(`${name} (skipped: ${reason})`, ...rest);
  return Object.assign(skip, test.skip) as typeof test;
}
