import { checkRedisSettings, type RedisSettingsReport } from '@carillon/adapters';
import type { Logger } from '@carillon/core';
import type { Config } from '../config/index.js';
import { clock } from '../start/services.js';
import { rejectedBy } from '../start/cut-short.js';
import { reasonOf } from '../start/data-directory.js';

/** Long enough for a Redis that is being started beside this node. */
const patienceMs = 30_000;
const againAfterMs = 250;

/**
 * Waits for Redis to answer, and refuses one on which the promises cannot be kept: rejects with the reasons and the
 * remedies, when there is no answer in time, or with the reason of `cutShort` when that is aborted first. With `check` = `warn` reasons are reported only, as doubts are.
 */
export async function checkRedis(
  redis: Parameters<typeof checkRedisSettings>[0],
  { check, replicas }: Config['redis'],
  log: Logger,
  cutShort: AbortSignal,
): Promise<void> {
  const { faults, doubts } = await Promise.race([askRedis(redis, replicas, cutShort), rejectedBy(cutShort)]);
  if (check === 'refuse' && faults.length > 0) {
    throw new Error(`${faults.join(' ')} (CARILLON_REDIS_CHECK=warn starts all the same.)`);
  }
  for (const problem of [...faults, ...doubts]) log.log('warn', problem);
}

async function askRedis(
  redis: Parameters<typeof checkRedisSettings>[0],
  replicas: number,
  cutShort: AbortSignal,
): Promise<RedisSettingsReport> {
  const deadlineMs = clock.monotonicMs() + patienceMs;
  for (;;) {
    try {
      return await checkRedisSettings(redis, replicas);
    } catch (error) {
      cutShort.throwIfAborted();
      if (clock.monotonicMs() > deadlineMs) {
        throw new Error(
          `Redis does not answer: check CARILLON_REDIS_URL, the network and the password. ${reasonOf(error)}`,
        );
      }
      await new Promise<void>((resolve) => clock.after(againAfterMs, resolve));
    }
  }
}
