export * from './private-redis.js';
export * from './redis-proxy.js';
