export * from './detached/index.js';
export * from './node-process-launcher.js';
export * from './sampling/pidusage-sampler.js';
export * from './sampling/proc-sampler.js';
export * from './sampling/process-sampler.js';
export * from './spawn-thread/spawn-thread.js';
export * from './spawn-thread/thread-process-launcher.js';
