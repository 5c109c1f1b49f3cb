export * from './caller.js';
export * from './privileges.js';
export * from './scope.js';
