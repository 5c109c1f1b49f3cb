export * from './detached/index.js';
export * from './node-process-launcher.js';
export * from './pidusage-sampler.js';
export * from './proc-sampler.js';
export * from './process-sampler.js';
