export { DirectoryInUseError, DirectoryLock } from './directory-lock.js';
export { EmbeddedRedis, type EmbeddedRedisOptions } from './embedded-redis.js';
