export * from './call-scopes.js';
export * from './admission.js';
export * from './caller.js';
export * from './identify.js';
export * from './privileges.js';
export * from './scope.js';
export * from './stored-privileges.js';
export * from './token-bucket.js';
