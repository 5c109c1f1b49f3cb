export * from './file-job-log.js';
export * from './memory-job-log.js';
