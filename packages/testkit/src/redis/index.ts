export * from './private-redis.js';
