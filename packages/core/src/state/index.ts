export * from './active-job.js';
export * from './change.js';
export * from './cluster-state.js';
export * from './ids.js';
export * from './table.js';
