export * from './access/caller.js';
export * from './launch/types.js';
export * from './ports/index.js';
export * from './state/index.js';
