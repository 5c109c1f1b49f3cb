import type { Redis } from 'ioredis';

/**
 * Commands that are given up for want of a connection fail with `Redis cannot be reached` and the last reason for that,
 * instead of the client's advice about an option of its own, which nobody who reads a log can follow.
 */
export function explainOutage(redis: Redis): void {
  let reason = 'there is no connection';
  redis.on('error', (error: Error) => {
    reason = error.message || error.name;
  });
  const flush: unknown = Reflect.get(redis, 'flushQueue');
  if (typeof flush !== 'function') return;
  Reflect.set(redis, 'flushQueue', (error: Error, ...rest: unknown[]): unknown => {
    const isGivenUp = error.name === 'MaxRetriesPerRequestError';
    return Reflect.apply(flush, redis, [
      isGivenUp ? new Error(`Redis cannot be reached: ${reason}`) : error,
      ...rest,
    ]);
  });
}
