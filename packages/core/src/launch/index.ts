export * from './algorithms.js';
export { resolveTarget, type ResolvedTarget } from './candidates.js';
export * from './plan-launch.js';
export * from './types.js';
