export * from './batch-writes.js';
export * from './check-redis-settings.js';
export * from './create-redis.js';
export * from './key-space.js';
export { redisAddress } from './redis-url.js';
