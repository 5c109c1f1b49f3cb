export * from './faulty-cluster.js';
export * from './job-records.js';
export * from './node-process.js';
export * from './skewed-clock.js';
export * from './socket-owner.js';
export * from './tcp-proxy.js';
export * from './test-cluster.js';
