export * from './admission.js';
export * from './caller.js';
export * from './privileges.js';
export * from './scope.js';
export * from './token-bucket.js';
