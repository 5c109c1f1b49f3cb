export * from './file-result-spool.js';
export * from './memory-result-spool.js';
