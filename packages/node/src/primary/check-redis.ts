import { checkRedisSettings } from '@carillon/adapters';
import type { Logger } from '@carillon/core';
import { clock } from '../start/services.js';
import { reasonOf } from '../start/data-directory.js';

/** Long enough for a Redis that is being started beside this node. */
const patienceMs = 30_000;
const againAfterMs = 250;

/**
 * Waits for Redis to answer and reports settings under which the promises cannot be kept. Rejects when there is no
 * answer in time.
 */
export async function checkRedis(
  redis: Parameters<typeof checkRedisSettings>[0],
  log: Logger,
): Promise<void> {
  const deadlineMs = clock.monotonicMs() + patienceMs;
  for (;;) {
    try {
      const { problems } = await checkRedisSettings(redis);
      for (const problem of problems) log.log('warn', problem);
      return;
    } catch (error) {
      if (clock.monotonicMs() > deadlineMs) {
        throw new Error(`Redis does not answer (${reasonOf(error)}); check CARILLON_REDIS_URL`);
      }
      await new Promise<void>((resolve) => clock.after(againAfterMs, resolve));
    }
  }
}
