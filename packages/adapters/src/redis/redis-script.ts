import type { Redis } from 'ioredis';

/** Text of a Lua script and how many of its arguments are keys. */
export interface ScriptSource {
  /** Unique among all scripts; a letter followed by letters. */
  readonly name: string;
  readonly keys: number;
  /** More keys may follow those, for Redis alone: it checks before a script starts that it has all of them. */
  readonly moreKeys?: true;
  readonly lua: string;
}

/** A list is passed on element by element; it may be longer than the call stack allows arguments. */
export type ScriptArgument = string | number | readonly string[];

/** Runs a script on one client. Rejects with Redis' own error, or when the connection fails or times out. */
export type ScriptCall = (keys: readonly string[], ...argv: readonly ScriptArgument[]) => Promise<unknown>;

/**
 * Makes a script callable on a client. Calls keep the order of calling, also with other commands of that client:
 * the text goes along with the first call on each connection and only its digest afterwards, so that a restarted
 * Redis knows the script without an extra round trip that later calls could overtake.
 */
export function prepareScript(redis: Redis, source: ScriptSource): ScriptCall {
  const command = `carillon${source.name}`;
  redis.defineCommand(command, {
    lua: source.lua,
    ...(source.moreKeys ? {} : { numberOfKeys: source.keys }),
  });
  const call: unknown = Reflect.get(redis, command);
  if (typeof call !== 'function') throw new TypeError(`The Redis client did not define ${command}`);
  return async (keys, ...argv) => {
    const fits = source.moreKeys ? keys.length >= source.keys : keys.length === source.keys;
    if (!fits) throw new RangeError(`${source.name} takes ${source.keys} keys`);
    const count = source.moreKeys ? [keys.length] : [];
    const reply: unknown = await Reflect.apply(call, redis, [...count, keys, ...argv]);
    return reply;
  };
}
