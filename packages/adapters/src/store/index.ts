export { LostCommitError } from './commit-sequence.js';
export * from './memory-store.js';
export * from './memory-store-board.js';
export * from './redis-run-claims.js';
export * from './redis-store.js';
