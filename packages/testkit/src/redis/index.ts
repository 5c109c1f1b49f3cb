export * from './private-redis.js';
export * from './redis-monitor.js';
export * from './redis-proxy.js';
