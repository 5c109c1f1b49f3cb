import type { Redis } from 'ioredis';

/** Fields asked for at a time: a hundred thousand records must neither block Redis nor exceed the command timeout. */
const chunkSize = 1_000;

/** A whole hash, read in pieces. Fields removed meanwhile are left out. The order of the fields is arbitrary. */
export async function readHash(redis: Redis, key: string): Promise<Map<string, string>> {
  const fields = await redis.hkeys(key);
  const found = new Map<string, string>();
  for (let start = 0; start < fields.length; start += chunkSize) {
    const chunk = fields.slice(start, start + chunkSize);
    const values = await redis.hmget(key, ...chunk);
    for (const [index, field] of chunk.entries()) {
      const value = values[index];
      if (typeof value === 'string') found.set(field, value);
    }
  }
  return found;
}
