export * from './batch-writes.js';
export * from './check-redis-settings.js';
export * from './create-redis.js';
export * from './key-space.js';
export { type HostPort, maskRedisUrl, readRedisPlace, type RedisPlace } from './redis-place.js';
export { measureRedis } from './measure-redis.js';
export { ReplicaConfirmation, UnconfirmedWriteError } from './replica-confirmation.js';
