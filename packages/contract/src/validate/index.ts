export * from './check-parameters.js';
export * from './check-timing.js';
export * from './coerce-query.js';
export * from './compile-schema.js';
