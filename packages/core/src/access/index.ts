export * from './call-scopes.js';
export * from './caller.js';
export * from './identify.js';
export * from './privileges.js';
export * from './scope.js';
export * from './stored-privileges.js';
