export * from './private-cluster.js';
export * from './private-redis.js';
export * from './private-sentinel.js';
export * from './redis-monitor.js';
export * from './redis-proxy.js';
export * from './redis-shape.js';
