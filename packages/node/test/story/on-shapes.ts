import { redisShape, whyNoNamespaces } from '@carillon/testkit';
import { test } from '@jest/globals';

/*
 * Stories run on whatever Redis CARILLON_TEST_REDIS names (`npm run stories`); what they cannot have there is skipped,
 * and the name of the test says why.
 */

/** `test`, or on any other shape than a plain server one that is skipped for this reason. */
export const testOnPlainRedis = (reason: string): typeof test =>
  redisShape() === 'plain' ? test : skipped(reason);

/** `test` for a story whose cluster has `cutsFromRedis`; skipped where that takes namespaces and they cannot be had. */
export function testOfCutsFromRedis(): typeof test {
  const reason = redisShape() === 'plain' ? undefined : whyNoNamespaces();
  return reason === undefined ? test : skipped(reason);
}

function skipped(reason: string): typeof test {
  const skip = (name: string, ...rest: [Parameters<typeof test>[1], number?]): void =>
    test.skip(`${name} (skipped: ${reason})`, ...rest);
  return Object.assign(skip, test.skip) as typeof test;
}
