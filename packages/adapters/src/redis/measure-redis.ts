import type { Clock } from '@carillon/core';
import type { Redis } from 'ioredis';

/**
 * Tells how long each command of a client took from being sent, or put in line while there is no connection, to its
 * answer. `onReply` must not throw. Commands that go out again after a reconnection are told once,
 * those by which a client introduces itself not at all.
 */
export function measureRedis(
  redis: Pick<Redis, 'sendCommand'>,
  clock: Pick<Clock, 'monotonicMs'>,
  onReply: (tookMs: number, failed: boolean) => void,
): void {
  const send = redis.sendCommand.bind(redis);
  const seen = new WeakSet<object>();
  redis.sendCommand = (command, ...rest) => {
    // Those of the client itself: old servers refuse some, which means nothing.
    if (command.name !== 'client' && !seen.has(command)) {
      seen.add(command);
      const begunAtMs = clock.monotonicMs();
      const tell = (failed: boolean) => () => onReply(clock.monotonicMs() - begunAtMs, failed);
      command.promise.then(tell(false), tell(true));
    }
    return send(command, ...rest);
  };
}
