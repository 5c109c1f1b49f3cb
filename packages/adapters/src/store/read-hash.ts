import type { Redis } from 'ioredis';

/** Fields asked for at a time: a hundred thousand records must neither block Redis nor exceed the command timeout. */
const chunkSize = 1_000;

/**
 * Visits every field of a hash, in arbitrary order; fields removed meanwhile are left out. Other work gets its turn
 * between the pieces, so what a visit costs does not add up to a pause. Rejects with what a visit throws.
 */
export async function visitHash(
  redis: Redis,
  key: string,
  visit: (field: string, value: string) => void,
): Promise<void> {
  const fields = await redis.hkeys(key);
  for (let start = 0; start < fields.length; start += chunkSize) {
    const chunk = fields.slice(start, start + chunkSize);
    const values = await redis.hmget(key, ...chunk);
    for (const [index, field] of chunk.entries()) {
      const value = values[index];
      if (typeof value === 'string') visit(field, value);
    }
  }
}

/** A whole hash, as visitHash reads it. */
export async function readHash(redis: Redis, key: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  await visitHash(redis, key, (field, value) => found.set(field, value));
  return found;
}
