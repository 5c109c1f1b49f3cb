export * from './job-records.js';
export * from './node-process.js';
export * from './test-cluster.js';
