export * from './memory-lease.js';
export * from './redis-lease.js';
