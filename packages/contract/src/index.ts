export * from './calls.js';
export * from './deliveries.js';
export * from './errors.js';
export * from './fields.js';
export * from './messages.js';
export * from './openapi.js';
export * from './records.js';
export * from './validate/index.js';
