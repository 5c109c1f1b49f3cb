import type { Redis } from 'ioredis';

/**
 * Sends all commands that are called in one turn of the event loop with one write to the connection, in their order:
 * the system call costs more than most commands. For now and after each reconnection.
 */
export function batchWrites(redis: Redis): void {
  redis.on('connect', () => {
    const { stream } = redis;
    const write: unknown = Reflect.get(stream, 'write');
    if (typeof write !== 'function') return;
    let isHeld = false;
    const release = (): void => {
      isHeld = false;
      stream.uncork();
    };
    const held = (...call: unknown[]): unknown => {
      if (!isHeld) {
        isHeld = true;
        stream.cork();
        setImmediate(release);
      }
      return Reflect.apply(write, stream, call);
    };
    Reflect.set(stream, 'write', held);
  });
}
